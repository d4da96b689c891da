#### made
resource "conformance_thing" "old" {
  name = "old"
}

resource "conformance_thing" "counted" {
  count = 2
  name  = "counted-${count.index}"
}

resource "conformance_legacy" "becomes" {
  name = "becomes"
}

resource "conformance_thing" "leaves" {
  name = "leaves"
}

module "inner" {
  source = "./inner"
}

#- inner/main.tf
terraform {
  required_providers {
    conformance = { source = "example.com/plumb/conformance" }
  }
}

resource "conformance_thing" "inside" {
  name = "inside"
}

#### moved, taken in and let go
#> {"op":"create","kind":"thing","name":"found","object":{"title":"as found","revision":4,"size":2,"label":"l"}}
#> {"op":"create","kind":"legacy","name":"found","object":{"title":"as found","case":"c"}}
resource "conformance_thing" "new" {
  name  = "old"
  title = "changed on the way"
}

moved {
  from = conformance_thing.old
  to   = conformance_thing.new
}

resource "conformance_thing" "counted" {
  for_each = toset(["a", "b"])
  name     = "counted-${each.key == "a" ? 0 : 1}"
}

moved {
  from = conformance_thing.counted[0]
  to   = conformance_thing.counted["a"]
}

moved {
  from = conformance_thing.counted[1]
  to   = conformance_thing.counted["b"]
}

resource "conformance_thing" "became" {
  name = "becomes"
}

moved {
  from = conformance_legacy.becomes
  to   = conformance_thing.became
}

removed {
  from = conformance_thing.leaves
  lifecycle {
    destroy = false
  }
}

import {
  to = conformance_thing.found
  id = "found"
}

resource "conformance_thing" "found" {
  name  = "found"
  title = "as found"
  size  = 2
}

import {
  to = conformance_legacy.found
  id = "found"
}

resource "conformance_legacy" "found" {
  name  = "found"
  title = "wanted"
  case  = "C"
}

resource "conformance_thing" "inside" {
  name = "inside"
}

moved {
  from = module.inner.conformance_thing.inside
  to   = conformance_thing.inside
}
