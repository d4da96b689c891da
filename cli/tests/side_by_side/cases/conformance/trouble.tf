#### a plan that is not what was written
#! plan
resource "conformance_thing" "a" {
  name      = "a"
  misbehave = "plan-other-value"
}

#### a plan of a wrong type
#! plan
resource "conformance_thing" "a" {
  name      = "a"
  misbehave = "plan-wrong-type"
}

#### a plan without an attribute
#! plan
resource "conformance_thing" "a" {
  name      = "a"
  misbehave = "plan-missing-attribute"
}

#### a plan that is null
#! plan
resource "conformance_thing" "a" {
  name      = "a"
  misbehave = "plan-null"
}

#### a plan with a value that may not be kept
#! plan
resource "conformance_thing" "a" {
  name      = "a"
  misbehave = "plan-write-only"
}

#### a crash
#! plan
resource "conformance_thing" "a" {
  name      = "a"
  misbehave = "plan-crash"
}

#### a crash before it was made
#! apply
resource "conformance_thing" "b" {
  name      = "b"
  misbehave = "apply-crash-before-once"
}

#### made the second time
resource "conformance_thing" "b" {
  name      = "b"
  misbehave = "apply-crash-before-once"
}

#### an error without an effect, and one with an effect
#! apply
resource "conformance_thing" "b" {
  name      = "b"
  title     = "changed"
  misbehave = "apply-error-before"
}

resource "conformance_thing" "c" {
  name      = "c"
  misbehave = "apply-error-after-once"
}

resource "conformance_thing" "d" {
  name  = "d"
  title = conformance_thing.c.label
}

#### what is tainted is replaced
resource "conformance_thing" "b" {
  name = "b"
}

resource "conformance_thing" "c" {
  name      = "c"
  misbehave = "apply-error-after-once"
}

resource "conformance_thing" "d" {
  name  = "d"
  title = conformance_thing.c.label
}

#### an outcome that was not planned
#! apply
resource "conformance_thing" "b" {
  name      = "b"
  title     = "t"
  misbehave = "apply-other-value"
}

#### an outcome that is not known
#! apply
resource "conformance_thing" "b" {
  name      = "b"
  title     = "t"
  misbehave = "apply-unknown"
}

#### mended
resource "conformance_thing" "b" {
  name  = "b"
  title = "t"
}
