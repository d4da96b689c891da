#### made
resource "conformance_thing" "changed" {
  name  = "changed"
  title = "ours"
}

resource "conformance_thing" "gone" {
  name  = "gone"
  title = conformance_thing.changed.title
}

resource "conformance_legacy" "changed" {
  name  = "changed"
  title = "ours"
}

resource "conformance_thing" "after" {
  name  = "after"
  title = conformance_thing.changed.revision
}

#### somebody else was here
#> {"op":"update","kind":"thing","name":"changed","object":{"title":"theirs","revision":7,"size":1,"label":"moved"}}
#> {"op":"delete","kind":"thing","name":"gone"}
#> {"op":"update","kind":"legacy","name":"changed","object":{"title":"theirs","case":"x"}}
resource "conformance_thing" "changed" {
  name  = "changed"
  title = "ours"
}

resource "conformance_thing" "gone" {
  name  = "gone"
  title = conformance_thing.changed.title
}

resource "conformance_legacy" "changed" {
  name  = "changed"
  title = "ours"
}

resource "conformance_thing" "after" {
  name  = "after"
  title = conformance_thing.changed.revision
}

#### changed so that it is as wanted now
#> {"op":"update","kind":"thing","name":"changed","object":{"title":"wanted","revision":9,"size":1,"label":"moved"}}
resource "conformance_thing" "changed" {
  name  = "changed"
  title = "wanted"
}

output "revision" {
  value = conformance_thing.changed.revision
}
