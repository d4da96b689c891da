//! What plans look like in pull requests, and that no size and no value breaks them.

use expect_test::expect;
use plumb_engine::plan::Reason;
use plumb_model::{Path, Value};

use super::*;
use crate::render::sample::{SECRET, change, everything, o, plan, s, unknown};

#[test]
fn everything_that_a_plan_can_have() {
    expect![[r####"
        ### Plumb&#58; production

        **Plan: 1 to create, 1 to update, 2 to replace, 2 to destroy, 1 to import, 2 moved, 1 to forget, 1 to read while applying.**

        Limited to <code>module.m</code>: the rest of the configuration may not be in effect.

        - <code>check.reachable</code> **does not hold** The service&#92;u001b&#91;2J does not answer.

        | | | |
        |-|-|-|
        | <code>-</code> | <code>file.unwanted</code> | will be destroyed, since it is not in the configuration |
        | <code>-</code> | <code>file.updated (former object 0a1b2c3d)</code> | will be destroyed, since it is left over from an earlier replacement |
        | <code>-/+</code> | <code>file.replaced</code> | must be replaced, since path changes; moved from file.former |
        | <code>+/-</code> | <code>file.tainted</code> | must be replaced, since it is tainted |
        | <code>.</code> | <code>module.n&#91;&quot;x&quot;&#93;.file.left</code> | will no longer be managed, but not destroyed |
        | <code>&#126;</code> | <code>file.updated</code> | will be updated in place |
        | <code>+</code> | <code>file.created</code> | will be created |
        | <code>&#60;=</code> | <code>data.file.late</code> | will be read while applying, since its configuration is not known before |
        |  | <code>module.m&#91;0&#93;.file.moved</code> | has moved here from file.was |
        |  | <code>module.m&#91;0&#93;.file.taken</code> | will be imported from &quot;i-1&quot; |

        <details><summary><code>-</code> <code>file.unwanted</code> will be destroyed, since it is not in the configuration</summary>

        ```diff
        - id   = "u"
        - tags = [
        -   "q",
          ]
        ```

        </details>
        <details><summary><code>-</code> <code>file.updated (former object 0a1b2c3d)</code> will be destroyed, since it is left over from an earlier replacement</summary>

        ```diff
        - id = "u-0"
        ```

        </details>
        <details><summary><code>-/+</code> <code>file.replaced</code> must be replaced, since path changes</summary>

        ```diff
        ! id   = "r-1" -> (known after apply)
        ! path = "a.txt" -> "b.txt"  # forces replacement, main.cfg:12
        ```

        </details>
        <details><summary><code>+/-</code> <code>file.tainted</code> must be replaced, since it is tainted</summary>

        ```diff
        ! id = "t-1" -> (known after apply)
          # (1 unchanged attribute hidden)
        ```

        </details>
        <details><summary><code>.</code> <code>module.n&#91;&quot;x&quot;&#93;.file.left</code> will no longer be managed, but not destroyed</summary>

        ```diff
          id = "l"
          # (1 unchanged attribute hidden)
        ```

        </details>
        <details><summary><code>&#126;</code> <code>file.updated</code> will be updated in place</summary>

        ```diff
        ! content  = <<-EOT
            # (2 unchanged lines hidden)
            line 3
            line 4
            line 5
        -   line 6
        +   line six
        +   line 6b
            line 7
            line 8
            line 9
            # (3 unchanged lines hidden)
          EOT
          id       = "f-1"
        ! kind     = "a" -> (known after apply)  # from random_pet.name.id and var.x
        ! mode     = 420 -> 384  # main.cfg:7
        ! names    = [  # changed outside
        -   "a",
        +   "d",
            # (2 unchanged elements hidden)
          ]
        + new      = "y"
        - old      = "x" -> null
        ! opened   = (sensitive value)  # shown from now on
        ! password = (sensitive value)
        ! policy   = jsonencode(
        !   {
        !     allow = [
                # (1 unchanged element hidden)
        !       "b" -> "c",
              ]
              # (2 unchanged attributes hidden)
            }
          )
        ! rules    = [
        !   {
        !     port = 80 -> 8080
              # (1 unchanged attribute hidden)
            },
            # (1 unchanged element hidden)
          ]
        - shape    = [
        -   1,
        -   "z",
          ]
        + shape    = "flat"
        ! spaced   = jsonencode({ a = 1 })  # only the layout of the JSON changes
        ! tags     = [
            # (1 unchanged element hidden)
        -   "b",
            # (2 unchanged elements hidden)
        +   "e",
          ]
          # (1 unchanged attribute hidden)
        ```

        </details>
        <details><summary><code>+</code> <code>file.created</code> will be created</summary>

        ```diff
        + content  = (known after apply)  # from random_pet.name.id
        + id       = (known after apply)
        + labels   = {
        +   a-b              = "1"
        +   "key with space" = "2"
          }
        + mode     = 420
        + password = (sensitive value)
        + path     = "c.txt"
        + script   = <<-EOT
        +   #!/bin/sh
        +   echo "${HOME}"\u0020\u0020
        +   exit 0
          EOT
        + settings = jsonencode(
        +   {
        +     debug = true
        +     ports = [
        +       80,
        +       443,
              ]
            }
          )
        + tags     = [
        +   "x",
        +   "y",
          ]
        ```

        </details>
        <details><summary><code>&#60;=</code> <code>data.file.late</code> will be read while applying, since its configuration is not known before</summary>

        ```diff
        + content = (known after apply)
        + path    = (known after apply)
        ```

        </details>
        <details><summary>Outputs</summary>

        ```diff
        + added   = <<-EOT
        +   one
        +   two
          EOT
        ! changed = {
        !   a = 1 -> 2
            # (1 unchanged attribute hidden)
          }
        ! key     = (sensitive value)
        - removed = "bye"
        ! waits   = "was" -> (known after apply)
        ```

        </details>
        <details><summary>Outside of Plumb <code>file.updated</code> was changed, with effect on this plan</summary>

        ```diff
          id    = "f-1"
        ! names = [
        +   "a",
            # (2 unchanged elements hidden)
          ]
        ```

        </details>
        <details><summary>Outside of Plumb <code>file.each&#91;&quot;k&quot;&#93;</code> was changed, without effect on this plan</summary>

        ```diff
          id   = "k"
        ! mode = 1 -> 2
        ```

        </details>
    "####]].assert_eq(&plan_markdown(&everything(), "Plumb: production", DEFAULT_LIMIT));
}

#[test]
fn no_changes() {
    expect![[r#"
        ### Plumb

        **No changes.** Everything is as the configuration says.

    "#]]
    .assert_eq(&plan_markdown(&plan(vec![]), "Plumb", DEFAULT_LIMIT));
}

fn large() -> Plan {
    let text: String = (0..40).map(|i| format!("line {i} of a longer text\n")).collect();
    let mut changes: Vec<Change> = (0..500)
        .map(|i| change(&format!("file.new[{i}]"), Action::Create, Value::NULL, o([("content", s(&text))])))
        .collect();
    changes.push(Change {
        reason: Some(Reason::ReplaceBecauseCannotUpdate),
        replace_paths: vec![Path::of("path")],
        ..change(
            "file.replaced",
            Action::DeleteThenCreate,
            o([("id", s("1")), ("path", s("a"))]),
            o([("id", unknown()), ("path", s("b"))]),
        )
    });
    changes.push(change("file.gone", Action::Delete, o([("id", s("1"))]), Value::NULL));
    plan(changes)
}

#[test]
fn what_is_too_large_loses_its_least_dangerous_details_and_keeps_the_summary() {
    for limit in [1_000, 2_000, 5_000, 20_000, 65_000, 1_000_000] {
        let text = plan_markdown(&large(), "Plumb", limit);
        assert!(text.len() <= limit, "{} > {limit}", text.len());
        assert!(text.contains("**Plan: 500 to create, 0 to update, 1 to replace, 1 to destroy.**"), "{text}");
        assert_eq!(text.contains("Left out to keep this short"), limit < 1_000_000, "{limit}");
        if limit >= 5_000 {
            assert!(text.contains("- id = &quot;1&quot;") || text.contains("- id = \"1\""), "{text}");
        }
        assert_eq!(text.matches("<details>").count(), text.matches("</details>").count());
        assert_eq!(text.matches("```").count() % 2, 0);
    }
}

#[test]
fn values_stay_within_their_fences_and_names_within_their_cells() {
    let text = "```\n</details>\n````` <script> @everyone #1 | x\n";
    let address = r#"file.a["`|<b>@me</b>*_["]"#;
    let plan = plan(vec![change(
        address,
        Action::Create,
        Value::NULL,
        o([("content", s(text)), ("k", s("</details>"))]),
    )]);
    expect![[r####"
        ### &#60;img&#62; &#96;x&#96; &#91;y&#93;(z)

        **Plan: 1 to create, 0 to update, 0 to replace, 0 to destroy.**

        | | | |
        |-|-|-|
        | <code>+</code> | <code>file.a&#91;&quot;&#96;&#124;&#60;b&#62;&#64;me&#60;/b&#62;&#42;&#95;&#91;&quot;&#93;</code> | will be created |

        <details><summary><code>+</code> <code>file.a&#91;&quot;&#96;&#124;&#60;b&#62;&#64;me&#60;/b&#62;&#42;&#95;&#91;&quot;&#93;</code> will be created</summary>

        ``````diff
        + content = <<-EOT
        +   ```
        +   </details>
        +   ````` <script> @everyone #1 | x
          EOT
        + k       = "</details>"
        ``````

        </details>
    "####]].assert_eq(&plan_markdown(&plan, "<img> `x` [y](z)", DEFAULT_LIMIT));
}

#[test]
fn sensitive_values_are_not_shown() {
    assert!(!plan_markdown(&everything(), "Plumb", DEFAULT_LIMIT).contains(SECRET));
}
