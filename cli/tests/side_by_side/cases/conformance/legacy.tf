#### made
resource "conformance_legacy" "empty" {
  name = "empty"
}

resource "conformance_legacy" "full" {
  name           = "full"
  title          = "a title"
  count_of_parts = 0
  ratio          = 0.1
  enabled        = false
  secret         = "hidden"
  case           = "MiXed"
  tags           = { a = "1", b = "" }
  zones          = ["b", "a"]
  rule {
    port = 80
  }
  rule {
    port = 443
  }
  disk {}
  disk {
    size = 20
  }
  entry {
    key = "in block syntax"
  }
  timeouts {
    create = "2m"
  }
}

resource "conformance_legacy" "refers" {
  name  = "refers"
  title = conformance_legacy.full.address
  zones = [conformance_legacy.full.status[0].state, "x"]
  dynamic "rule" {
    for_each = [1, 2]
    content {
      port = rule.value
    }
  }
  dynamic "entry" {
    for_each = [for rule in conformance_legacy.full.rule : rule.handle]
    content {
      key = entry.value
    }
  }
}

data "conformance_legacy" "full" {
  name = conformance_legacy.full.name
}

output "read" {
  value = data.conformance_legacy.full.title
}

#### changed
resource "conformance_legacy" "empty" {
  name  = "empty"
  zones = []
  tags  = {}
}

resource "conformance_legacy" "full" {
  name    = "full"
  title   = ""
  ratio   = 3
  enabled = true
  case    = "mixed"
  tags    = { a = "2" }
  zones   = ["b", "a"]
  rule {
    port = 8080
  }
  rule {
    port = 443
  }
  disk {
    size = 5
  }
  entry = []
}

resource "conformance_legacy" "refers" {
  name  = "refers"
  title = conformance_legacy.full.address
  zones = [conformance_legacy.full.status[0].state, "y"]
}

data "conformance_legacy" "full" {
  name = conformance_legacy.full.name
}

output "read" {
  value = data.conformance_legacy.full.title
}

#### settled, or not
resource "conformance_legacy" "empty" {
  name = "empty"
}

resource "conformance_legacy" "full" {
  name  = "full2"
  case  = "mixed"
  zones = ["c"]
}
