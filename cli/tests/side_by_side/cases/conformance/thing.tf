variable "word" {
  type      = string
  default   = "hidden"
  sensitive = true
}

#### everything at once
resource "conformance_thing" "plain" {
  name = "plain"
}

resource "conformance_thing" "full" {
  name        = "full"
  title       = "a title"
  size        = 3
  precise     = 12345678901234567890.123456789012345678901234567890
  tags        = { b = "two", a = "one" }
  ports       = [443, 80, 1.5]
  steps       = ["first", "second"]
  anything    = { list = [1, "x", true], nested = { deep = null } }
  secret      = "given"
  password_wo = "never kept"
  timeouts {
    create = "10m"
  }
}

resource "conformance_thing" "many" {
  for_each = toset(["x", "y"])
  name     = "many-${each.key}"
  title    = conformance_thing.full.label
  anything = conformance_thing.full.revision
}

resource "conformance_thing" "counted" {
  count = 2
  name  = "counted-${count.index}"
  title = var.word
  tags  = { id = conformance_thing.plain.label, of = var.word }
}

output "labels" {
  value = [for thing in conformance_thing.many : thing.label]
}

output "hidden" {
  value     = conformance_thing.counted[0].title
  sensitive = true
}

output "whole" {
  value     = conformance_thing.full
  sensitive = true
}

#### nothing changes
resource "conformance_thing" "plain" {
  name = "plain"
}

resource "conformance_thing" "full" {
  name        = "full"
  title       = "a title"
  size        = 3
  precise     = 12345678901234567890.123456789012345678901234567890
  tags        = { b = "two", a = "one" }
  ports       = [443, 80, 1.5]
  steps       = ["first", "second"]
  anything    = { list = [1, "x", true], nested = { deep = null } }
  secret      = "given"
  password_wo = "never kept"
  timeouts {
    create = "10m"
  }
}

resource "conformance_thing" "many" {
  for_each = toset(["x", "y"])
  name     = "many-${each.key}"
  title    = conformance_thing.full.label
  anything = conformance_thing.full.revision
}

resource "conformance_thing" "counted" {
  count = 2
  name  = "counted-${count.index}"
  title = var.word
  tags  = { id = conformance_thing.plain.label, of = var.word }
}

#### updates, replacements, deletions
resource "conformance_thing" "plain" {
  name  = "plain, another"
  title = "and more"
}

resource "conformance_thing" "full" {
  name     = "full"
  title    = "another title"
  size     = 1
  tags     = { a = "changed" }
  ports    = [80, 8080]
  steps    = ["second"]
  anything = "now text"
  secret   = "another"
}

resource "conformance_thing" "many" {
  for_each = toset(["x", "z"])
  name     = "many-${each.key}"
  title    = conformance_thing.full.label
  label    = "given"
  anything = conformance_thing.full.revision
}

resource "conformance_thing" "counted" {
  count = 1
  name  = "counted-${count.index}"
  tags  = { id = conformance_thing.plain.label }
}
