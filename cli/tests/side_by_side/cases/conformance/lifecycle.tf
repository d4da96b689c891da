#### made
resource "conformance_thing" "first" {
  name = "first"
  lifecycle {
    create_before_destroy = true
  }
}

resource "conformance_thing" "second" {
  name  = "second"
  title = conformance_thing.first.label
}

resource "conformance_thing" "ignoring" {
  name  = "ignoring"
  title = "one"
  tags  = { a = "1", b = "2" }
  lifecycle {
    ignore_changes = [title, tags["a"]]
  }
}

resource "conformance_thing" "kept" {
  name = "kept"
  lifecycle {
    prevent_destroy = true
  }
}

resource "conformance_thing" "triggered" {
  name = "triggered"
  lifecycle {
    replace_triggered_by = [conformance_thing.second.title]
  }
}

#### changed
resource "conformance_thing" "first" {
  name = "first, another"
  lifecycle {
    create_before_destroy = true
  }
}

resource "conformance_thing" "second" {
  name  = "second"
  title = conformance_thing.first.label
}

resource "conformance_thing" "ignoring" {
  name  = "ignoring"
  title = "two"
  tags  = { a = "3", b = "4" }
  lifecycle {
    ignore_changes = [title, tags["a"]]
  }
}

resource "conformance_thing" "kept" {
  name  = "kept"
  title = "may change"
  lifecycle {
    prevent_destroy = true
  }
}

resource "conformance_thing" "triggered" {
  name = "triggered"
  lifecycle {
    replace_triggered_by = [conformance_thing.second.title]
  }
}

#### deleting what must not be
#! plan
resource "conformance_thing" "kept" {
  name = "kept, another"
  lifecycle {
    prevent_destroy = true
  }
}

#### at last
resource "conformance_thing" "kept" {
  name = "kept"
}
