# The same files for Plumb and Terraform. INVENTORY_URL and INVENTORY_TOKEN say where the service is.

terraform {
  required_providers {
    inventory = {
      source = "example.com/acme/inventory"
    }
  }
}

variable "quantity" {
  type    = number
  default = 3
}

provider "inventory" {}

ephemeral "inventory_token" "door" {
  scope = "door"
}

resource "inventory_item" "pump" {
  name     = "pump ${provider::inventory::sku("pump", 7, "red")}"
  category = "pump"
  quantity = var.quantity
  tags     = { colour = "red" }

  supplier = {
    name  = "Acme"
    email = "sales@example.com"
  }

  bins = [
    { shelf = "A" },
    { shelf = "B", capacity = 20 },
  ]

  access_code         = ephemeral.inventory_token.door.value
  access_code_version = 1
}

data "inventory_items" "pumps" {
  category   = inventory_item.pump.category
  depends_on = [inventory_item.pump]
}

output "pump" {
  value = inventory_item.pump.name
}

output "codes" {
  value = inventory_item.pump.bins[*].code
}

output "total" {
  value = data.inventory_items.pumps.total
}
