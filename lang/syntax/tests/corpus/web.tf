# A module like many.
terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 5.0" }
  }
}

variable "service" {
  description = "What runs" // in words
  type = object({
    name    = string
    port    = optional(number, 8080)
    subnets = list(object({ cidr = string, public = optional(bool, false) }))
  })

  validation {
    condition     = var.service.port >= 1024 && var.service.port < 65536
    error_message = "The port must be above 1023, not ${var.service.port}."
  }
}

locals {
  name   = "${var.prefix}-${var.service.name}"
  public = [for s in var.service.subnets : s.cidr if s.public]
  by_id  = { for i, s in var.service.subnets : s.cidr => merge(s, { index = i }) }
  size   = var.environment == "prod" ? 3 : (var.scale > 1 ? var.scale : 1) # enough
  groups = { for s in local.all : s.kind => s.name... }
}

resource "aws_instance" "web" {
  count     = local.size
  ami       = data.aws_ami.base[0].id
  subnet_id = element(aws_subnet.web[*].id, count.index)
  user_data = <<-EOT
    #!/bin/bash
    echo "starting ${local.name} at $${HOME}"
    %{ for key, value in var.tags ~}
    export ${upper(key)}="${value}"
    %{ endfor ~}
    %{ if var.debug }set -x%{ else }set -e%{ endif }
  EOT

  dynamic "ebs_block_device" {
    for_each = var.volumes
    content {
      device_name = ebs_block_device.value["device"]
      volume_size = try(ebs_block_device.value.size, -1 * 2 % 3)
    }
  }

  lifecycle { create_before_destroy = true }

  tags = merge(local.tags, {
    Name                     = "${local.name}-${count.index}"
    "k8s/${var.cluster}"     = "owned" /* by us */
    (local.key)              = !(var.a || var.b)
  })
}

output "addresses" {
  value = aws_instance.web.*.private_ip
}

locals {
  call = provider::time::rfc3339_parse(
    var.when, # since
    [
      1,
      2.5e3,
    ]...
  )
  text = <<EOT
plain \ "text"
EOT
}
