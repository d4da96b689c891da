//! Provider configurations with `for_each`: each instance of a resource reaches what its instance of the provider is
//! told, from the creation to the deletion, through modules, and in what is exported.

use std::collections::BTreeMap;

use crate::support::Workspace;
use crate::support::api::Api;

/// One API for each region.
struct Regions(BTreeMap<&'static str, Api>);

impl Regions {
    fn start() -> Regions {
        let api = |name| (name, Api::start(0, "t").expect("a port is free"));
        Regions(["eu", "us"].map(api).into_iter().collect())
    }

    /// The paths of the objects in a region.
    fn objects(&self, region: &str) -> Vec<String> {
        let objects = self.0[region].objects();
        objects.keys().filter(|path| *path != "/organization").cloned().collect()
    }

    /// A provider with an instance for each region that is named, and what follows.
    fn configured(&self, regions: &[&str], rest: &str) -> String {
        let urls: Vec<String> =
            self.0.iter().map(|(name, api)| format!("    {name} = {:?}\n", api.url())).collect();
        let named: Vec<String> = regions.iter().map(|name| format!("{name:?}")).collect();
        format!(
            r#"
variable "regions" {{
  type    = set(string)
  default = [{}]
}}
locals {{
  urls = {{
{}  }}
}}
provider "rest" {{
  alias    = "by_region"
  for_each = {{ for region in var.regions : region => local.urls[region] }}
  url      = each.value
  bearer_token = "t"
}}
{rest}"#,
            named.join(", "),
            urls.concat()
        )
    }
}

const QUEUES: &str = r#"
resource "rest_object" "queue" {
  for_each = toset(["eu", "us"])
  provider = rest.by_region[each.key]
  path     = "/queues"
  data     = jsonencode({ name = "of ${each.key}" })
}
"#;

#[test]
fn each_instance_is_made_and_deleted_through_its_instance_of_the_provider() {
    let regions = Regions::start();
    let workspace = Workspace::of(&regions.configured(&["eu", "us"], QUEUES));
    workspace.apply(&[]);
    assert_eq!(
        (regions.objects("eu"), regions.objects("us")),
        (vec!["/queues/queues-1".into()], vec!["/queues/queues-1".into()])
    );
    workspace.plumb(&["plan", "-detailed-exitcode"]).exits(0);

    let fewer = QUEUES.replace(r#"["eu", "us"]"#, r#"["eu"]"#);
    workspace.write("main.cfg", &regions.configured(&["eu", "us"], &fewer));
    workspace.apply(&[]);
    assert_eq!((regions.objects("eu").len(), regions.objects("us").len()), (1, 0));

    workspace.write("main.cfg", &regions.configured(&["eu", "us"], ""));
    workspace.apply(&[]);
    assert_eq!((regions.objects("eu").len(), regions.objects("us").len()), (0, 0));
}

#[test]
fn a_module_is_handed_one_instance_for_each_of_its_own() {
    let regions = Regions::start();
    let call = r#"
module "region" {
  source    = "./region"
  for_each  = var.regions
  providers = { rest = rest.by_region[each.key] }
  name      = each.key
}
module "fixed" {
  source    = "./region"
  providers = { rest = rest.by_region["us"] }
  name      = "always"
}
"#;
    let inner = r#"
variable "name" {
  type = string
}
module "within" {
  source    = "./within"
  name      = var.name
}
"#;
    let innermost = r#"
variable "name" {
  type = string
}
resource "rest_object" "queue" {
  count = 2
  path  = "/${var.name}"
  data  = jsonencode({ number = count.index })
}
"#;
    let main = regions.configured(&["eu", "us"], call);
    let workspace = Workspace::new(&[
        ("main.cfg", &main),
        ("region/main.cfg", inner),
        ("region/within/main.cfg", innermost),
    ]);
    workspace.apply(&[]);
    assert_eq!(regions.objects("eu"), ["/eu/eu-1", "/eu/eu-2"]);
    assert_eq!(regions.objects("us"), ["/always/always-1", "/always/always-2", "/us/us-1", "/us/us-2"]);
    workspace.plumb(&["plan", "-detailed-exitcode"]).exits(0);
    workspace.plumb(&["destroy", "-auto-approve"]).succeeds();
    assert_eq!(regions.objects("eu").len() + regions.objects("us").len(), 0);
}

#[test]
fn the_instance_is_kept_in_plans_and_in_exported_state() {
    let regions = Regions::start();
    let workspace = Workspace::of(&regions.configured(&["eu", "us"], QUEUES));
    workspace.plumb(&["plan", "-out=p"]).succeeds();
    workspace.plumb(&["apply", "p"]).succeeds();
    let exported = workspace.plumb(&["state", "pull"]).succeeds().stdout;
    for region in ["eu", "us"] {
        let provider =
            format!(r#""provider": "provider[\"plumb.local/builtin/rest\"].by_region[\"{region}\"]""#);
        assert!(exported.contains(&provider), "{provider} is not in\n{exported}");
    }
    let other = Workspace::of(&regions.configured(&["eu", "us"], ""));
    other.write("exported.tfstate", &exported);
    other.plumb(&["state", "import", "exported.tfstate"]).succeeds();
    other.apply(&[]);
    assert_eq!(regions.objects("eu").len() + regions.objects("us").len(), 0);
}

#[test]
fn a_key_that_goes_before_its_objects_is_an_error_that_says_what_to_do() {
    let regions = Regions::start();
    let workspace = Workspace::of(&regions.configured(&["eu", "us"], QUEUES));
    workspace.apply(&[]);
    let fewer = QUEUES.replace(r#"["eu", "us"]"#, r#"["eu"]"#);
    for rest in [&fewer, ""] {
        workspace.write("main.cfg", &regions.configured(&["eu"], rest));
        workspace
            .plumb(&["plan"])
            .exits(1)
            .says("provider-instance-gone")
            .says(r#"`rest_object.queue["us"]` was made with"#)
            .says(r#"Put the key "us" back into `for_each`"#);
    }
    workspace.plumb(&["state", "rm", r#"rest_object.queue["us"]"#]).succeeds();
    workspace.apply(&[]);
    assert_eq!((regions.objects("eu").len(), regions.objects("us").len()), (0, 1));
}

#[test]
fn a_key_that_is_not_there_is_an_error_with_those_that_are() {
    let regions = Regions::start();
    let queues = QUEUES.replace(r#""us"]"#, r#""ut"]"#);
    let workspace = Workspace::of(&regions.configured(&["eu", "us"], &queues));
    workspace.plumb(&["validate"]).succeeds();
    workspace
        .plumb(&["plan"])
        .exits(1)
        .says("unknown-provider-instance")
        .says(r#"no instance "ut": there are "eu", "us""#)
        .says("Did you mean `us`?");
}

#[test]
fn data_sources_and_imports_use_the_instance_too() {
    let regions = Regions::start();
    let made = Workspace::of(&regions.configured(&["eu", "us"], QUEUES));
    made.apply(&[]);
    let read = r#"
data "rest_object" "queue" {
  for_each = var.regions
  provider = rest.by_region[each.value]
  path     = "/queues/queues-1"
}
output "names" {
  value = [for region, found in data.rest_object.queue : found.output.name]
}
import {
  to = rest_object.queue["us"]
  id = "/queues/queues-1"
}
"#;
    let workspace = Workspace::of(&regions.configured(&["eu", "us"], &format!("{read}{QUEUES}")));
    workspace.apply(&[]);
    workspace.plumb(&["output", "-json", "names"]).prints(r#"["of eu","of us"]"#);
    assert_eq!((regions.objects("eu").len(), regions.objects("us").len()), (2, 1));
}
