//! What reports look like, and that they are well formed.

use expect_test::expect;
use plumb_model::Span;

use super::*;
use crate::render::sample::{SECRET, everything};

fn messages() -> (Diagnostics, Sources) {
    let mut sources = Sources::new();
    let a = sources.add("dir/a b.cfg", "x = 1\ny = <\u{1}&>\n");
    let diagnostics = Diagnostics::from(vec![
        Diagnostic::error("bad-name", "Bad name: a, b")
            .detail("100% wrong.\nReally <&>\u{1}.")
            .label(Span::new(a, 6, 7), "here")
            .label(Span::new(a, 0, 1), "")
            .help("Use another."),
        Diagnostic::warning("odd", "Odd"),
        Diagnostic::error("bad-name", "Bad name: c").at(Span::new(a, 0, 12)),
    ]);
    (diagnostics, sources)
}

#[test]
fn for_gitlab() {
    assert_eq!(gitlab(&everything()), r#"{"create":3,"update":1,"delete":4}"#);
}

#[test]
fn for_github() {
    let (diagnostics, sources) = messages();
    expect![[r#"
        ::error file=dir/a b.cfg,line=2,endLine=2,col=1,endColumn=2,title=Bad name%3A a%2C b::100%25 wrong.%0AReally <&>\u0001.%0Ahere%0AUse another.
        ::error file=dir/a b.cfg,line=1,endLine=2,title=Bad name%3A c::Bad name: c
        ::warning title=Odd::Odd
    "#]].assert_eq(&github(&diagnostics, &sources));
    let many: Diagnostics = (0..12).map(|_| Diagnostic::error("x", "X")).collect();
    let shown = github(&many, &sources);
    assert_eq!(shown.lines().count(), ANNOTATIONS);
    assert!(shown.ends_with("::error::There are 3 more messages.\n"), "{shown}");
    assert_eq!(github_log("::error::no\n", "t0k3n"), "::stop-commands::t0k3n\n::error::no\n::t0k3n::\n");
}

#[test]
fn as_junit() {
    let (diagnostics, sources) = messages();
    let suites = [
        junit::checks("checks", &everything().checks),
        junit::diagnostics("validate", &diagnostics, &sources),
        junit::diagnostics("all well", &Diagnostics::new(), &sources),
    ];
    expect![[r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="plumb" tests="6" failures="3" errors="0" skipped="1" time="0.000">
          <testsuite name="checks" tests="3" failures="1" errors="0" skipped="1" time="0.000">
            <testcase name="check.reachable" classname="check" time="0.000">
              <failure message="The service\u001b[2J does not answer.">The service\u001b[2J does not answer.</failure>
            </testcase>
            <testcase name="file.updated" classname="resource" time="0.000"/>
            <testcase name="output.waits" classname="output" time="0.000">
              <skipped message="is not known before applying"/>
            </testcase>
          </testsuite>
          <testsuite name="validate" tests="2" failures="2" errors="0" skipped="0" time="0.000">
            <testcase name="Bad name: a, b" classname="bad-name" time="0.000" file="dir/a b.cfg" line="2">
              <failure message="Bad name: a, b">100% wrong.
        Really &lt;&amp;&gt;\u0001.
        here
        Use another.</failure>
            </testcase>
            <testcase name="Bad name: c" classname="bad-name" time="0.000" file="dir/a b.cfg" line="1">
              <failure message="Bad name: c">Bad name: c</failure>
            </testcase>
          </testsuite>
          <testsuite name="all well" tests="1" failures="0" errors="0" skipped="0" time="0.000">
            <testcase name="all well" classname="all well" time="0.000"/>
          </testsuite>
        </testsuites>
    "#]].assert_eq(&junit::junit("plumb", &suites));
}

#[test]
fn as_sarif() {
    let (diagnostics, sources) = messages();
    let text = sarif::sarif(&diagnostics, &sources, "0.1.0", "plumb/prod");
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let results = json["runs"][0]["results"].as_array().unwrap();
    let prints: Vec<_> =
        results.iter().map(|r| &r["partialFingerprints"]["primaryLocationLineHash"]).collect();
    assert_ne!(prints[0], prints[2]);
    // Fingerprints are of no use to a reader.
    let mut shown = json.clone();
    for result in shown["runs"][0]["results"].as_array_mut().unwrap() {
        result["partialFingerprints"] = serde_json::Value::Null;
    }
    expect![[r#"
        {
          "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
          "runs": [
            {
              "automationDetails": {
                "id": "plumb/prod/"
              },
              "columnKind": "unicodeCodePoints",
              "results": [
                {
                  "level": "error",
                  "locations": [
                    {
                      "message": {
                        "text": "here"
                      },
                      "physicalLocation": {
                        "artifactLocation": {
                          "uri": "dir/a%20b.cfg"
                        },
                        "region": {
                          "endColumn": 2,
                          "endLine": 2,
                          "startColumn": 1,
                          "startLine": 2
                        }
                      }
                    }
                  ],
                  "message": {
                    "text": "100% wrong.\nReally <&>\u0001.\nhere\nUse another."
                  },
                  "partialFingerprints": null,
                  "relatedLocations": [
                    {
                      "id": 0,
                      "physicalLocation": {
                        "artifactLocation": {
                          "uri": "dir/a%20b.cfg"
                        },
                        "region": {
                          "endColumn": 2,
                          "endLine": 1,
                          "startColumn": 1,
                          "startLine": 1
                        }
                      }
                    }
                  ],
                  "ruleId": "bad-name",
                  "ruleIndex": 0
                },
                {
                  "level": "warning",
                  "locations": [
                    {
                      "physicalLocation": {
                        "artifactLocation": {
                          "uri": "dir/a%20b.cfg"
                        },
                        "region": {
                          "startLine": 1
                        }
                      }
                    }
                  ],
                  "message": {
                    "text": "Odd"
                  },
                  "partialFingerprints": null,
                  "ruleId": "odd",
                  "ruleIndex": 1
                },
                {
                  "level": "error",
                  "locations": [
                    {
                      "physicalLocation": {
                        "artifactLocation": {
                          "uri": "dir/a%20b.cfg"
                        },
                        "region": {
                          "endColumn": 7,
                          "endLine": 2,
                          "startColumn": 1,
                          "startLine": 1
                        }
                      }
                    }
                  ],
                  "message": {
                    "text": "Bad name: c"
                  },
                  "partialFingerprints": null,
                  "ruleId": "bad-name",
                  "ruleIndex": 0
                }
              ],
              "tool": {
                "driver": {
                  "name": "Plumb",
                  "rules": [
                    {
                      "defaultConfiguration": {
                        "level": "error"
                      },
                      "fullDescription": {
                        "text": "Bad name: a, b"
                      },
                      "help": {
                        "text": "`plumb explain bad-name` tells more."
                      },
                      "id": "bad-name",
                      "shortDescription": {
                        "text": "Bad name: a, b"
                      }
                    },
                    {
                      "defaultConfiguration": {
                        "level": "warning"
                      },
                      "fullDescription": {
                        "text": "Odd"
                      },
                      "help": {
                        "text": "`plumb explain odd` tells more."
                      },
                      "id": "odd",
                      "shortDescription": {
                        "text": "Odd"
                      }
                    }
                  ],
                  "version": "0.1.0"
                }
              }
            }
          ],
          "version": "2.1.0"
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&shown).unwrap());
}

#[test]
fn as_a_page() {
    let mut out = Vec::new();
    html::write_html(&everything(), "Plan for <production>", &mut out).unwrap();
    let page = String::from_utf8(out).unwrap();
    assert!(!page.contains(SECRET) && !page.contains("<production>"));
    for tag in ["details", "summary", "pre", "span", "table", "ul", "code", "body", "html"] {
        let open = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(open, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
    let changes = page.split_once("<h2>Changes</h2>").unwrap().1;
    expect![[r#"

        <details open><summary><code class="del">-</code> <code>file.unwanted</code> will be destroyed, since it is not in the configuration</summary>
        <pre>  resource &quot;file&quot; &quot;unwanted&quot; {
          <span class="del">- id   = &quot;u&quot;</span>
          <span class="del">- tags = [</span>
            <span class="del">- &quot;q&quot;,</span>
            ]
          }</pre>"#]].assert_eq(changes.split_once("</details>").unwrap().0);
}
