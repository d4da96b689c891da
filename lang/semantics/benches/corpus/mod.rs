//! A realistic corpus: typed variables with validations, locals with `for` and templates, heredocs, resources with nested
//! blocks, outputs. Only of `terraform_data`, so that no provider is needed.

use std::fmt::Write as _;

/// How many services a file declares.
const SERVICES_PER_FILE: usize = 100;

/// One service: about 1,300 bytes. It refers to the one before and to one further up.
fn service(i: usize, text: &mut String) {
    let (before, far) = (i.saturating_sub(1), i.saturating_sub(37));
    let reference = if i == 0 { "null".to_owned() } else { format!("local.endpoint_{before}") };
    let _ = write!(
        text,
        r#"# Service {i}: what runs where.
variable "service_{i}" {{
  description = "How service {i} is run."
  type = object({{
    image    = optional(string, "registry.example.com/service-{i}:1.{i}.0")
    replicas = optional(number, 2)
    zones    = optional(list(string), ["a", "b"])
    labels   = optional(map(string), {{}})
  }})
  default = {{}}

  validation {{
    condition     = var.service_{i}.replicas > 0 && var.service_{i}.replicas < 100
    error_message = "Service {i} has 1 to 99 replicas, not ${{var.service_{i}.replicas}}."
  }}
}}

locals {{
  endpoint_{i} = "https://service-{i}.${{join(".", reverse(["internal", "example"]))}}:${{8000 + {i} % 1000}}"
  labels_{i} = merge(var.service_{i}.labels, {{
    name  = "service-{i}"
    tier  = {i} % 3 == 0 ? "edge" : "core"
    zones = join(",", [for zone in var.service_{i}.zones : upper(zone) if zone != ""])
  }})
  peers_{i} = {reference}
  script_{i} = <<-EOT
    #!/bin/sh
    exec service --port=${{8000 + {i} % 1000}} \
      %{{ for name, value in local.labels_{i} ~}}
      --label=${{name}}=${{value}} \
      %{{ endfor ~}}
      --peer=${{coalesce(local.peers_{i}, "none")}}
  EOT
}}

resource "terraform_data" "service_{i}" {{
  for_each = toset(var.service_{i}.zones)

  input = {{
    name   = "service-{i}-${{each.key}}"
    image  = var.service_{i}.image
    labels = local.labels_{i}
    script = local.script_{i}
    far    = local.endpoint_{far}
  }}
  triggers_replace = [var.service_{i}.image, sha256(local.script_{i})]

  lifecycle {{
    create_before_destroy = true
    ignore_changes        = [input]

    precondition {{
      condition     = length(local.labels_{i}) >= 3
      error_message = "Service {i} lacks labels."
    }}
  }}
}}

output "service_{i}" {{
  value = {{ for zone, instance in terraform_data.service_{i} : zone => instance.input.name }}
}}

"#
    );
}

/// Files of a module of at least so many bytes.
pub fn corpus(bytes: usize) -> Vec<(String, String)> {
    let (mut files, mut size, mut next) = (Vec::new(), 0, 0);
    while size < bytes {
        let mut text = String::new();
        while text.len() + size < bytes && next < (files.len() + 1) * SERVICES_PER_FILE {
            service(next, &mut text);
            next += 1;
        }
        size += text.len();
        files.push((format!("services_{}.tf", files.len()), text));
    }
    files
}
