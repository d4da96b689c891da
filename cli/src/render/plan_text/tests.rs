//! What plans look like on a terminal, whole outputs.

use expect_test::{Expect, expect};
use plumb_engine::plan::{Layouts, Reason, StateBinding};
use plumb_model::{Block, NestedBlock, Nesting, Path, Type};

use super::*;
use crate::render::sample::{change, dedent, everything, instance, o, plan, s, strings, unknown};

fn check(plan: &Plan, expected: Expect) {
    expected.assert_eq(&plan_text(plan, &Style::plain()));
}

/// The lines of an update of one attribute.
fn check_attribute(before: Value, after: Value, expected: Expect) {
    let change = change("file.a", Action::Update, o([("x", before)]), o([("x", after)]));
    let mut out = Vec::new();
    Writer { style: Style::plain(), out: &mut out }
        .lines(&change_lines(&change, &Layouts::default()), 0)
        .unwrap();
    expected.assert_eq(&dedent(&String::from_utf8(out).unwrap()));
}

/// A type with a list of blocks, a single one, labelled ones and a set; in the first there are others.
fn layouts() -> Layouts {
    let nested = |block, nesting| NestedBlock { block, nesting, min_items: 0, max_items: 0 };
    let inner = Block {
        blocks: [("port".into(), nested(Block::default(), Nesting::List))].into(),
        ..Block::default()
    };
    let blocks = [
        ("listener".into(), nested(inner, Nesting::List)),
        ("timeouts".into(), nested(Block::default(), Nesting::Single)),
        ("volume".into(), nested(Block::default(), Nesting::Map)),
        ("rule".into(), nested(Block::default(), Nesting::Set)),
    ];
    let block = Block { blocks: blocks.into(), ..Block::default() };
    let mut layouts = Layouts::default();
    let change = change("file.a", Action::Create, Value::NULL, Value::NULL);
    layouts.add(&change.provider.source, &change.address.resource, &block);
    layouts
}

fn check_blocks(change: &Change, expected: Expect) {
    let mut out = Vec::new();
    Writer { style: Style::plain(), out: &mut out }.lines(&change_lines(change, &layouts()), 0).unwrap();
    expected.assert_eq(&dedent(&String::from_utf8(out).unwrap()));
}

fn list(items: Vec<Value>) -> Value {
    Value::list(Type::Dynamic, items)
}

#[test]
fn nested_blocks_are_laid_out_as_they_are_written() {
    let listener = |name, port| {
        o([("name", s(name)), ("tags", strings(&[])), ("port", list(vec![o([("number", s(port))])]))])
    };
    let before = o([
        ("name", s("a")),
        ("listener", list(vec![listener("x", "1"), listener("y", "2")])),
        ("timeouts", o([("create", s("5m"))])),
        ("volume", Value::map(Type::Dynamic, [("data".into(), o([("size", s("1"))]))])),
        ("rule", Value::set(Type::Dynamic, vec![o([("cidr", s("10.0.0.0/8"))]), o([("cidr", s("::/0"))])])),
    ]);
    let after = o([
        ("name", s("a")),
        ("listener", list(vec![listener("x", "1"), listener("y", "3")])),
        ("timeouts", Value::NULL),
        ("volume", Value::map(Type::Dynamic, [("data".into(), o([("size", s("2"))]))])),
        (
            "rule",
            Value::set(Type::Dynamic, vec![o([("cidr", s("10.0.0.0/8"))]), o([("cidr", s("0.0.0.0/0"))])]),
        ),
    ]);
    check_blocks(
        &change("file.a", Action::Create, Value::NULL, before.clone()),
        expect![[r#"
        + name = "a"
        + listener {
            + name = "x"
            + tags = []
            + port {
                + number = "1"
              }
          }
        + listener {
            + name = "y"
            + tags = []
            + port {
                + number = "2"
              }
          }
        + rule {
            + cidr = "10.0.0.0/8"
          }
        + rule {
            + cidr = "::/0"
          }
        + timeouts {
            + create = "5m"
          }
        + volume "data" {
            + size = "1"
          }
    "#]],
    );
    check_blocks(
        &change("file.a", Action::Update, before, after),
        expect![[r#"
          name = "a"
        ~ listener {
              # (2 unchanged attributes hidden)
            ~ port {
                ~ number = "2" -> "3"
              }
          }
        + rule {
            + cidr = "0.0.0.0/0"
          }
        - rule {
            - cidr = "::/0"
          }
        - timeouts {
            - create = "5m"
          }
        ~ volume "data" {
            ~ size = "1" -> "2"
          }
          # (2 unchanged blocks hidden)
    "#]],
    );
}

#[test]
fn blocks_that_are_not_known_or_not_shown_stay_on_one_line() {
    let after = o([
        ("listener", unknown()),
        ("timeouts", crate::render::sample::secret()),
        ("volume", Value::map(Type::Dynamic, [])),
        ("rule", Value::set(Type::Dynamic, vec![])),
    ]);
    check_blocks(
        &change("file.a", Action::Create, Value::NULL, after),
        expect![[r#"
        + listener = (known after apply)
        + timeouts = (sensitive value)
    "#]],
    );
}

#[test]
fn everything_that_a_plan_can_have() {
    check(
        &everything(),
        expect![[r#"
            Changed outside of Plumb since it was recorded, with effect on this plan:

              # file.updated has changed
              ~ resource "file" "updated" {
                    id    = "f-1"
                  ~ names = [
                      + "a",
                        # (2 unchanged elements hidden)
                    ]
                }

            Changed outside of Plumb as well, without effect on this plan:
              file.each["k"]: mode

            Plumb will do this:
              + create
              ~ update in place
            -/+ destroy, then create another
            +/- create another, then destroy
              - destroy
              . no longer manage, leave as it is
             <= read while applying

              # data.file.late will be read while applying, since its configuration is not known before
             <= data "file" "late" {
                  + content = (known after apply)
                  + path    = (known after apply)
                }

              # file.created will be created
              + resource "file" "created" {
                  + content  = (known after apply)  # from random_pet.name.id
                  + id       = (known after apply)
                  + labels   = {
                      + a-b              = "1"
                      + "key with space" = "2"
                    }
                  + mode     = 420
                  + password = (sensitive value)
                  + path     = "c.txt"
                  + script   = <<-EOT
                      + #!/bin/sh
                      + echo "${HOME}"\u0020\u0020
                      + exit 0
                    EOT
                  + settings = jsonencode(
                      + {
                          + debug = true
                          + ports = [
                              + 80,
                              + 443,
                            ]
                        }
                    )
                  + tags     = [
                      + "x",
                      + "y",
                    ]
                }

              # file.updated will be updated in place
              ~ resource "file" "updated" {
                  ~ content  = <<-EOT
                        # (2 unchanged lines hidden)
                        line 3
                        line 4
                        line 5
                      - line 6
                      + line six
                      + line 6b
                        line 7
                        line 8
                        line 9
                        # (3 unchanged lines hidden)
                    EOT
                    id       = "f-1"
                  ~ kind     = "a" -> (known after apply)  # from random_pet.name.id and var.x
                  ~ mode     = 420 -> 384  # main.cfg:7
                  ~ names    = [  # changed outside
                      - "a",
                      + "d",
                        # (2 unchanged elements hidden)
                    ]
                  + new      = "y"
                  - old      = "x" -> null
                  ~ opened   = (sensitive value)  # shown from now on
                  ~ password = (sensitive value)
                  ~ policy   = jsonencode(
                      ~ {
                          ~ allow = [
                                # (1 unchanged element hidden)
                              ~ "b" -> "c",
                            ]
                            # (2 unchanged attributes hidden)
                        }
                    )
                  ~ rules    = [
                      ~ {
                          ~ port = 80 -> 8080
                            # (1 unchanged attribute hidden)
                        },
                        # (1 unchanged element hidden)
                    ]
                  - shape    = [
                      - 1,
                      - "z",
                    ]
                  + shape    = "flat"
                  ~ spaced   = jsonencode({ a = 1 })  # only the layout of the JSON changes
                  ~ tags     = [
                        # (1 unchanged element hidden)
                      - "b",
                        # (2 unchanged elements hidden)
                      + "e",
                    ]
                    # (1 unchanged attribute hidden)
                }

              # file.replaced must be replaced, since path changes
              # (moved from file.former)
            -/+ resource "file" "replaced" {
                  ~ id   = "r-1" -> (known after apply)
                  ~ path = "a.txt" -> "b.txt"  # forces replacement, main.cfg:12
                }

              # file.tainted must be replaced, since it is tainted
            +/- resource "file" "tainted" {
                  ~ id = "t-1" -> (known after apply)
                    # (1 unchanged attribute hidden)
                }

              # file.unwanted will be destroyed, since it is not in the configuration
              - resource "file" "unwanted" {
                  - id   = "u"
                  - tags = [
                      - "q",
                    ]
                }

              # file.updated (former object 0a1b2c3d) will be destroyed, since it is left over from an earlier replacement
              - resource "file" "updated" {
                  - id = "u-0"
                }

              # module.m[0].file.moved has moved here from file.was
                resource "file" "moved" {
                    id = "m"
                }

              # module.m[0].file.taken will be imported from "i-1"
                resource "file" "taken" {
                    id = "i-1"
                }

              # module.n["x"].file.left will no longer be managed, but not destroyed
              . resource "file" "left" {
                    id = "l"
                    # (1 unchanged attribute hidden)
                }

            Outputs will change:
              + added   = <<-EOT
                  + one
                  + two
                EOT
              ~ changed = {
                  ~ a = 1 -> 2
                    # (1 unchanged attribute hidden)
                }
              ~ key     = (sensitive value)
              - removed = "bye"
              ~ waits   = "was" -> (known after apply)

            Checks:
              check.reachable does not hold
                  The service\u001b[2J does not answer.
              output.waits is not known before applying

            What is lost:
              - file.unwanted                          destroyed: it is not in the configuration
              - file.updated (former object 0a1b2c3d)  destroyed: it is left over from an earlier replacement
            -/+ file.replaced                          replaced: path changes
            +/- file.tainted                           replaced: it is tainted
              . module.n["x"].file.left                no longer managed

            Plan: 1 to create, 1 to update, 2 to replace, 2 to destroy, 1 to import, 2 moved, 1 to forget, 1 to read while applying.
            Limited to module.m: the rest of the configuration may not be in effect.
        "#]],
    );
}

#[test]
fn colours_are_used_for_symbols_and_titles_only() {
    let change = change("file.a", Action::Update, o([("x", s("1"))]), o([("x", s("2"))]));
    let style = Style { colour: true, ..Style::plain() };
    expect![[r#"
        ^[1mPlumb will do this:^[0m
        ^[33m  ~^[0m update in place

          ^[1m# file.a will be updated in place^[0m
        ^[33m  ~^[0m resource "file" "a" {
              ^[33m~^[0m x = "1" -> "2"
            }

        ^[1mPlan: 0 to create, 1 to update, 0 to replace, 0 to destroy.^[0m
    "#]]
    .assert_eq(&plan_text(&plan(vec![change]), &style).replace('\u{1b}', "^"));
}

#[test]
fn nothing_to_do() {
    check(
        &plan(vec![]),
        expect![[r#"
        No changes. Everything is as the configuration says.
    "#]],
    );
    check(
        &Plan { purpose: Purpose::RefreshOnly, state: StateBinding::default(), ..plan(vec![]) },
        expect![[r#"
        No changes. Everything is as it was recorded.
    "#]],
    );
    check(
        &Plan { errored: true, ..plan(vec![]) },
        expect![[r#"
        Planning failed. Nothing to change had been found before.
    "#]],
    );
}

#[test]
fn only_recording() {
    let Plan { drift, .. } = everything();
    check(
        &Plan { purpose: Purpose::RefreshOnly, drift, ..plan(vec![]) },
        expect![[r#"
        Changed outside of Plumb since it was recorded:

          # file.each["k"] has changed
          ~ resource "file" "each" {
                id   = "k"
              ~ mode = 1 -> 2
            }

          # file.updated has changed
          ~ resource "file" "updated" {
                id    = "f-1"
              ~ names = [
                  + "a",
                    # (2 unchanged elements hidden)
                ]
            }

        Applying this records what has changed outside of Plumb; it changes nothing else.
    "#]],
    );
}

#[test]
fn each_reason_is_said_in_the_title() {
    let replaced = |reason| {
        let mut change = change(
            "module.m[1].file.a[\"k\"]",
            Action::DeleteThenCreate,
            o([("id", s("1"))]),
            o([("id", unknown())]),
        );
        change.reason = Some(reason);
        change.replace_paths = vec![Path::of("path"), Path::of("tags").then(plumb_model::Step::Index(0))];
        change
    };
    let deleted = |reason| Change { action: Action::Delete, after: Value::NULL, ..replaced(reason) };
    let changes = [
        replaced(Reason::ReplaceBecauseCannotUpdate),
        replaced(Reason::ReplaceBecauseTainted),
        replaced(Reason::ReplaceByRequest),
        replaced(Reason::ReplaceByTriggers),
        deleted(Reason::DeleteBecauseNoResourceConfig),
        deleted(Reason::DeleteBecauseWrongRepetition),
        deleted(Reason::DeleteBecauseCountIndex),
        deleted(Reason::DeleteBecauseEachKey),
        deleted(Reason::DeleteBecauseNoModule),
        deleted(Reason::DeleteBecauseNoMoveTarget),
        deleted(Reason::DeleteBecauseDisabled),
    ];
    let titles: Vec<String> = changes.iter().map(words::fate).collect();
    expect![[r#"
        must be replaced, since path and tags[0] change
        must be replaced, since it is tainted
        will be replaced, since -replace asks for it
        must be replaced, since something in replace_triggered_by changes
        will be destroyed, since module.m.file.a is not in the configuration
        will be destroyed, since the resource no longer has for_each
        will be destroyed, since index ["k"] is not below count
        will be destroyed, since for_each has no key ["k"]
        will be destroyed, since module.m[1] is not in the configuration
        will be destroyed, since it was moved to an address that is not in the configuration
        will be destroyed, since enabled is false"#]]
    .assert_eq(&titles.join("\n"));
}

#[test]
fn elements_of_lists_are_matched() {
    check_attribute(
        strings(&["a", "b", "c", "d"]),
        strings(&["a", "x", "c", "d", "e"]),
        expect![[r#"
              ~ x = [
                    # (1 unchanged element hidden)
                  ~ "b" -> "x",
                    # (2 unchanged elements hidden)
                  + "e",
                ]
        "#]],
    );
    check_attribute(
        strings(&["b", "c"]),
        strings(&["a", "b", "c"]),
        expect![[r#"
              ~ x = [
                  + "a",
                    # (2 unchanged elements hidden)
                ]
        "#]],
    );
    check_attribute(
        strings(&["a"]),
        strings(&[]),
        expect![[r#"
              ~ x = [
                  - "a",
                ]
        "#]],
    );
    let rule = |port| o([("from", s("any")), ("port", Value::int(port))]);
    check_attribute(
        Value::tuple(vec![rule(1), rule(2), rule(3)]),
        Value::tuple(vec![rule(1), rule(4), rule(5), Value::NULL, rule(3)]),
        expect![[r#"
              ~ x = [
                    # (1 unchanged element hidden)
                  ~ {
                      ~ port = 2 -> 4
                        # (1 unchanged attribute hidden)
                    },
                  + {
                      + from = "any"
                      + port = 5
                    },
                  + null,
                    # (1 unchanged element hidden)
                ]
        "#]],
    );
    check_attribute(
        Value::tuple(vec![Value::NULL]),
        Value::tuple(vec![s("a")]),
        expect![[r#"
              ~ x = [
                  - null,
                  + "a",
                ]
        "#]],
    );
}

#[test]
fn texts_are_compared_line_by_line() {
    check_attribute(
        s("a\nb\nc\n"),
        s("a\nB\nc"),
        expect![[r#"
              ~ x = <<-EOT
                    a
                  - b
                  + B
                    c
                EOT  # the line break at the end is removed
        "#]],
    );
    check_attribute(
        s("one line"),
        s("now\ntwo"),
        expect![[r#"
              ~ x = <<-EOT
                  - one line
                  + now
                  + two
                EOT
        "#]],
    );
    check_attribute(
        s("tab\tand \u{1b}[2J"),
        s("quote\" ${x}"),
        expect![[r#"
              ~ x = "tab\tand \u001b[2J" -> "quote\" $${x}"
        "#]],
    );
    check_attribute(
        s("a\nb \n"),
        s("a\nb\n"),
        expect![[r#"
              ~ x = <<-EOT
                    a
                  - b\u0020
                  + b
                EOT
        "#]],
    );
}

#[test]
fn long_texts_stand_one_below_the_other() {
    let long = "a long text that goes on and on and on and on and on and ";
    check_attribute(
        s(&format!("{long}ends")),
        s(&format!("{long}begins again")),
        expect![[r#"
              ~ x = "a long text that goes on and on and on and on and on and ends"
                 -> "a long text that goes on and on and on and on and on and begins again"
        "#]],
    );
}

#[test]
fn json_in_texts_is_compared_as_values() {
    check_attribute(
        s(r#"{"a":[1,2],"b":{"c":1.50}}"#),
        s(r#"{"b":{"c":1.5},"a":[1,3]}"#),
        expect![[r#"
              ~ x = jsonencode(
                  ~ {
                      ~ a = [
                            # (1 unchanged element hidden)
                          ~ 2 -> 3,
                        ]
                        # (1 unchanged attribute hidden)
                    }
                )
        "#]],
    );
    check_attribute(
        s("{not json"),
        s("[1]"),
        expect![[r#"
              ~ x = "{not json" -> "[1]"
        "#]],
    );
}

#[test]
fn values_change_shape_come_and_go() {
    check_attribute(
        o([("a", Value::int(1))]),
        strings(&["a"]),
        expect![[r#"
              - x = {
                  - a = 1
                }
              + x = [
                  + "a",
                ]
        "#]],
    );
    check_attribute(
        s("1"),
        Value::int(1),
        expect![[r#"
              ~ x = "1" -> 1
        "#]],
    );
    check_attribute(
        Value::Null(Type::String),
        s("a"),
        expect![[r#"
              + x = "a"
        "#]],
    );
    check_attribute(
        o([("n", Value::NULL), ("a", s("1"))]),
        o([("a", s("1"))]),
        expect![[r#"
              ~ x = {
                  - n = null
                    # (1 unchanged attribute hidden)
                }
        "#]],
    );
    check_attribute(
        strings(&["a long text that goes away", "and another one, which is as long"]),
        unknown(),
        expect![[r#"
              ~ x = [ 2 elements ] -> (known after apply)
        "#]],
    );
}

#[test]
fn what_is_too_large_to_compare_is_replaced_and_not_waited_for() {
    let list = |from: usize| {
        Value::tuple((from..from + 5000).map(|i| Value::int(i64::try_from(i).unwrap())).collect())
    };
    let change = change("file.a", Action::Update, o([("x", list(0))]), o([("x", list(10_000))]));
    assert_eq!(change_lines(&change, &Layouts::default()).len(), 5002);
}

#[test]
fn a_long_list_of_losses_is_counted() {
    let changes = (0..150)
        .map(|i| change(&format!("file.a[{i}]"), Action::Delete, o([("id", s("1"))]), Value::NULL))
        .collect();
    let text = plan_text(&plan(changes), &Style::plain());
    assert!(text.ends_with(
        "    and 50 other objects\n\nPlan: 0 to create, 0 to update, 0 to replace, 150 to destroy.\n"
    ));
}

#[test]
fn triggers_are_named() {
    let mut replaced =
        change("file.a", Action::DeleteThenCreate, o([("id", s("1"))]), o([("id", unknown())]));
    replaced.reason = Some(Reason::ReplaceByTriggers);
    replaced.causes = vec![plumb_engine::plan::Cause {
        path: Path::root(),
        origin: plumb_engine::plan::Origin::Reference { addresses: vec!["file.b".into()] },
    }];
    replaced.previous_address = Some(instance("file.z"));
    expect!["must be replaced, since file.b in replace_triggered_by changes"]
        .assert_eq(&words::fate(&replaced));
}
