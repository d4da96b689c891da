//! How fast a realistic text is parsed and formatted: `cargo bench -p plumb-syntax`.
//!
//! Writes a text like those of large modules (resources with nested blocks, templates, heredocs, `for`, splats, typed
//! variables), about 3.8 MB, and prints the best of several runs.
#![allow(clippy::print_stdout, reason = "the result of a benchmark is what it prints")]

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use plumb_model::SourceId;
use plumb_syntax::{Dialect, format, parse};

/// As in `plumb`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const SIZE: usize = 3_800_000;
const RUNS: usize = 7;

fn main() {
    let text = corpus(SIZE);
    let lines = text.lines().count();
    let parsed = parse(SourceId(0), &text, Dialect::Terraform);
    assert!(parsed.diagnostics.is_empty(), "the corpus is valid: {:?}", parsed.diagnostics.iter().next());
    println!("{:.2} MB, {lines} lines, {} items", megabytes(&text), parsed.tree.body.items.len());
    report("parse", &text, || drop(black_box(parse(SourceId(0), black_box(&text), Dialect::Terraform))));
    report("format", &text, || drop(black_box(format(SourceId(0), black_box(&text), Dialect::Terraform))));
}

fn report(what: &str, text: &str, run: impl Fn()) {
    let best = (0..RUNS).map(|_| time(&run)).min().unwrap_or_default();
    println!("{what}: {:.1} ms, {:.1} MB/s", best.as_secs_f64() * 1e3, megabytes(text) / best.as_secs_f64());
}

fn time(run: impl Fn()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

fn megabytes(text: &str) -> f64 {
    text.len() as f64 / 1e6
}

/// A text of at least that many bytes.
fn corpus(size: usize) -> String {
    let mut text = String::with_capacity(size + 4096);
    let mut n = 0;
    while text.len() < size {
        module_part(&mut text, n).expect("writing to a string succeeds");
        n += 1;
    }
    text
}

fn module_part(out: &mut String, n: usize) -> std::fmt::Result {
    write!(
        out,
        r#"
# Service {n}: what it needs to run.
variable "service_{n}" {{
  description = "Settings of service {n}"
  type = object({{
    name    = string
    port    = optional(number, {port})
    tags    = map(string)
    subnets = list(object({{ cidr = string, public = optional(bool, false) }}))
  }})
  default = {{
    name = "service-{n}"
    tags = {{ team = "core", cost-center = "cc-{n}" }}
    subnets = [
      {{ cidr = "10.{n}.1.0/24", public = true }},
      {{ cidr = "10.{n}.2.0/24" }},
    ]
  }}

  validation {{
    condition     = var.service_{n}.port >= 1024 && var.service_{n}.port < 65536
    error_message = "The port must be between 1024 and 65535, not ${{var.service_{n}.port}}."
  }}
}}

locals {{
  name_{n}    = "${{var.prefix}}-${{var.service_{n}.name}}-${{terraform.workspace}}"
  public_{n}  = [for s in var.service_{n}.subnets : s.cidr if s.public]
  by_cidr_{n} = {{ for i, s in var.service_{n}.subnets : s.cidr => merge(s, {{ index = i }}) }}
  size_{n}    = var.environment == "prod" ? 3 * var.scale + 1 : max(1, var.scale / 2)
}}

resource "aws_instance" "service_{n}" {{
  count                  = local.size_{n}
  ami                    = data.aws_ami.base.id
  instance_type          = var.environment == "prod" ? "m5.large" : "t3.micro"
  subnet_id              = element(aws_subnet.service_{n}[*].id, count.index)
  vpc_security_group_ids = [aws_security_group.service_{n}.id, aws_security_group.common["ssh"].id]
  user_data              = <<-EOT
    #!/bin/bash
    set -euo pipefail
    echo "starting ${{local.name_{n}}} on port ${{var.service_{n}.port}}"
    %{{ for key, value in var.service_{n}.tags ~}}
    export TAG_${{upper(key)}}="${{value}}"
    %{{ endfor ~}}
    exec /usr/local/bin/service --config /etc/service/config.yaml
  EOT

  root_block_device {{
    volume_size = 20 # gigabytes
    encrypted   = true
  }}

  dynamic "ebs_block_device" {{
    for_each = var.service_{n}.volumes
    content {{
      device_name = ebs_block_device.value["device"]
      volume_size = try(ebs_block_device.value.size, 100)
    }}
  }}

  lifecycle {{
    create_before_destroy = true
    ignore_changes        = [ami, tags["updated"]]
  }}

  tags = merge(local.common_tags, {{
    Name  = "${{local.name_{n}}}-${{count.index}}"
    "k8s/${{var.cluster}}" = "owned"
  }})
}}

resource "aws_subnet" "service_{n}" {{
  for_each = local.by_cidr_{n}

  vpc_id                  = aws_vpc.main.id
  cidr_block              = each.key
  availability_zone       = data.aws_availability_zones.all.names[each.value.index % 3]
  map_public_ip_on_launch = !(each.value.public == false)
}}

resource "aws_security_group" "service_{n}" {{
  name   = local.name_{n}
  vpc_id = aws_vpc.main.id

  ingress {{
    from_port   = var.service_{n}.port
    to_port     = var.service_{n}.port
    protocol    = "tcp"
    cidr_blocks = concat(local.public_{n}, ["10.0.0.0/8"])
  }}
}}

module "dns_{n}" {{
  source     = "./modules/dns"
  name       = local.name_{n}
  records    = {{ for i in aws_instance.service_{n} : i.id => i.private_ip }}
  depends_on = [aws_subnet.service_{n}]
}}

output "service_{n}_addresses" {{
  description = "Where service {n} can be reached"
  value       = aws_instance.service_{n}[*].private_ip
  sensitive   = false
}}
"#,
        port = 8000 + n % 1000,
    )
}
