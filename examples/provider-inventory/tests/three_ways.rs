//! The same configuration in three ways: compiled into Plumb, as a plugin of Plumb, and as a plugin of Terraform. In each
//! it is applied, planned again, changed, put right, extended by an import, and destroyed, and the service agrees.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use provider_inventory::ADDRESS;
use provider_inventory::service::Service;
use serde_json::{Value as Json, json};

const TOKEN: &str = "letmein";
const PLUGIN: &str = env!("CARGO_BIN_EXE_terraform-provider-inventory");

/// A program with the commands of Terraform, in a directory of its own.
struct Tool {
    program: PathBuf,
    directory: tempfile::TempDir,
    service: Service,
}

impl Tool {
    /// A program; with the plugin, if it is to find one.
    fn new(program: PathBuf, plugin: bool) -> Tool {
        let directory = tempfile::tempdir().unwrap();
        let configuration = include_str!("../configuration/main.tf");
        std::fs::write(directory.path().join("main.tf"), configuration).unwrap();
        let folder = Path::new(PLUGIN).parent().unwrap();
        let overrides = match plugin {
            true => format!("  dev_overrides {{\n    {ADDRESS:?} = {folder:?}\n  }}\n"),
            false => String::new(),
        };
        let rc = format!("provider_installation {{\n{overrides}  direct {{}}\n}}\n");
        std::fs::write(directory.path().join("rc"), rc).unwrap();
        Tool { program, directory, service: Service::start(0, TOKEN).unwrap() }
    }

    fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let output = Command::new(&self.program)
            .args(arguments)
            .arg("-no-color")
            .current_dir(self.directory.path())
            .env("TF_CLI_CONFIG_FILE", self.directory.path().join("rc"))
            .env("HOME", self.directory.path())
            .env("INVENTORY_URL", self.service.url())
            .env("INVENTORY_TOKEN", TOKEN)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        (output.status.code(), text + &String::from_utf8_lossy(&output.stderr))
    }

    #[track_caller]
    fn exits(&self, code: i32, arguments: &[&str]) -> String {
        let (found, text) = self.run(arguments);
        assert_eq!(found, Some(code), "{} {arguments:?}: {text}", self.program.display());
        text
    }

    #[track_caller]
    fn apply(&self, more: &[&str]) {
        self.exits(0, &[&["apply", "-auto-approve"], more].concat());
    }

    /// 0: nothing would change, 2: something would.
    #[track_caller]
    fn plan(&self, code: i32, more: &[&str]) -> String {
        self.exits(code, &[&["plan", "-detailed-exitcode"], more].concat())
    }

    /// What the service has of an item.
    fn item(&self, id: &str) -> Option<Json> {
        self.service.inside().items.get(id).cloned().map(Json::Object)
    }

    /// The id of the item of a name.
    fn id(&self, name: &str) -> Option<String> {
        let inside = self.service.inside();
        inside.items.iter().find(|(_, item)| item["name"] == name).map(|(id, _)| id.clone())
    }

    /// The whole life of the configuration.
    fn lives(&self) {
        self.exits(0, &["validate"]);
        self.apply(&[]);
        let id = self.id("pump PUMP-00007-red").expect("the service has the pump");
        let pump = self.item(&id).unwrap();
        assert_eq!((&pump["quantity"], &pump["revision"]), (&json!(3), &json!(1)));
        assert_eq!(pump["supplier"], json!({ "name": "Acme", "email": "sales@example.com" }));
        let bin = |shelf: &str, capacity: i64, n: i64| json!({ "shelf": shelf, "capacity": capacity, "code": format!("{id}/{n}") });
        assert_eq!(pump["bins"], json!([bin("A", 10, 1), bin("B", 20, 2)]));
        assert!(self.service.inside().access_codes[&id].starts_with("door-secret-token-"));
        assert!(self.service.inside().tokens.is_empty(), "every token is revoked");
        let outputs: Json = serde_json::from_str(&self.exits(0, &["output", "-json"])).unwrap();
        assert_eq!(
            (&outputs["pump"]["value"], &outputs["total"]["value"]),
            (&json!("pump PUMP-00007-red"), &json!(3))
        );
        assert_eq!(outputs["codes"]["value"], json!([format!("{id}/1"), format!("{id}/2")]));
        self.plan(0, &[]);

        let more = ["-var=quantity=5"];
        self.plan(2, &more);
        self.apply(&more);
        assert_eq!(self.item(&id).unwrap()["quantity"], 5);
        assert_eq!(self.item(&id).unwrap()["bins"], pump["bins"], "what the service chose stays");
        self.plan(0, &more);

        // Somebody changes the quantity behind our back.
        self.service.inside().items.get_mut(&id).unwrap().insert("quantity".into(), 1.into());
        let drifted = self.plan(2, &more);
        assert!(drifted.contains("1 -> 5"), "{drifted}");
        self.apply(&more);
        assert_eq!(self.item(&id).unwrap()["quantity"], 5);

        // An item that is there already is taken under management as it is.
        let valve =
            json!({ "name": "valve", "category": "valve", "quantity": 9, "revision": 4, "id": "old" });
        self.service.inside().items.insert("old".into(), valve.as_object().unwrap().clone());
        let import = r#"
import {
  to = inventory_item.valve
  id = "old"
}

resource "inventory_item" "valve" {
  name     = "valve"
  category = "valve"
  quantity = 9
}
"#;
        std::fs::write(self.directory.path().join("import.tf"), import).unwrap();
        self.apply(&more);
        assert_eq!(self.item("old").unwrap()["revision"], 4, "nothing was written");
        self.plan(0, &more);

        self.exits(0, &["destroy", "-auto-approve"]);
        assert!(self.service.inside().items.is_empty());
        assert!(self.service.inside().tokens.is_empty());
    }
}

/// Plumb with the provider compiled in, and the plain one, built if only this test was.
fn programs() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let targets = ["--example", "plumb-with-inventory", "--bin", "plumb"];
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--workspace"]).args(targets);
        assert!(
            cargo.current_dir(env!("CARGO_MANIFEST_DIR")).status().unwrap().success(),
            "they can be built"
        );
        Path::new(PLUGIN).parent().unwrap().to_owned()
    })
}

fn plumb() -> PathBuf {
    programs().join("examples/plumb-with-inventory")
}

fn plain_plumb() -> PathBuf {
    programs().join("plumb")
}

#[test]
fn compiled_into_plumb() {
    Tool::new(plumb(), false).lives();
}

#[test]
fn as_a_plugin_of_plumb() {
    // The plain program knows the provider only as a plugin.
    Tool::new(plain_plumb(), true).lives();
}

#[test]
#[allow(clippy::print_stderr, reason = "a skipped test says so")]
fn as_a_plugin_of_terraform() {
    if Command::new("terraform").arg("version").output().is_err() {
        eprintln!("skipped: terraform is not installed");
        return;
    }
    Tool::new("terraform".into(), true).lives();
}

#[test]
fn what_terraform_shows_of_the_provider_is_what_its_author_wrote() {
    let plumb = Tool::new(plain_plumb(), true);
    let schema = schema(&plumb);
    let provider = &schema["provider_schemas"][ADDRESS];
    let item = &provider["resource_schemas"]["inventory_item"];
    assert_eq!(item["version"], 1);
    let attributes = &item["block"]["attributes"];
    assert_eq!(
        attributes["quantity"],
        json!({ "type": "number", "optional": true, "computed": true, "description_kind": "markdown",
            "description": "How many there are. By default `0`." })
    );
    assert_eq!(
        (&attributes["access_code"]["sensitive"], &attributes["access_code"]["write_only"]),
        (&json!(true), &json!(true))
    );
    let bins = &attributes["bins"]["nested_type"];
    assert_eq!(bins["nesting_mode"], "list");
    assert_eq!(bins["attributes"]["code"]["computed"], true);
    let found =
        &provider["data_source_schemas"]["inventory_items"]["block"]["attributes"]["items"]["nested_type"];
    assert_eq!(found["attributes"]["id"]["computed"], true, "only the provider sets what is found");
    let sku = &provider["functions"]["sku"];
    assert_eq!(
        (&sku["return_type"], &sku["variadic_parameter"]["name"]),
        (&json!("string"), &json!("variants"))
    );
    if Command::new("terraform").arg("version").output().is_ok() {
        assert_eq!(schema_of(&Tool::new("terraform".into(), true)), schema_of(&plumb));
    }
}

fn schema(tool: &Tool) -> Json {
    let (code, text) = tool.run(&["providers", "schema", "-json"]);
    assert_eq!(code, Some(0), "{text}");
    // Remarks about overrides come after the document.
    let document = serde_json::Deserializer::from_str(&text).into_iter().next();
    document.expect("there is a document").expect("it is JSON")
}

fn schema_of(tool: &Tool) -> Json {
    let mut schema = schema(tool)["provider_schemas"][ADDRESS].clone();
    // Terraform shows identities from version 1.12 on, and actions from 1.14 on.
    for newer in ["resource_identity_schemas", "action_schemas"] {
        schema.as_object_mut().expect("it is an object").remove(newer);
    }
    schema
}
