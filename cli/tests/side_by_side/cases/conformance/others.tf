terraform {
  provider_meta "conformance" {
    module_name = "root"
  }
}

provider "conformance" {
  token = "t"
}

provider "conformance" {
  alias = "second"
  token = provider::conformance::join("-", "a", "b")
}

#### data, functions, leases
resource "conformance_thing" "source" {
  name  = "source"
  title = provider::conformance::join(", ", "one", "two", "three")
}

data "conformance_thing" "read" {
  name = conformance_thing.source.name
}

data "conformance_thing" "late" {
  name       = "source"
  depends_on = [conformance_thing.source]
}

ephemeral "conformance_lease" "key" {
  name = "key"
}

resource "conformance_thing" "user" {
  provider    = conformance.second
  name        = "user"
  title       = data.conformance_thing.late.title
  password_wo = ephemeral.conformance_lease.key.token
}

output "described" {
  value = [provider::conformance::describe(null), provider::conformance::describe([1, "a"])]
}

#### read again
resource "conformance_thing" "source" {
  name  = "source"
  title = provider::conformance::join(", ", "one", "two")
}

data "conformance_thing" "read" {
  name = conformance_thing.source.name
}

data "conformance_thing" "late" {
  name       = "source"
  depends_on = [conformance_thing.source]
}

ephemeral "conformance_lease" "key" {
  name = "key"
}

resource "conformance_thing" "user" {
  provider    = conformance.second
  name        = "user"
  title       = data.conformance_thing.late.title
  password_wo = ephemeral.conformance_lease.key.token
}

#### an error of a data source
#! plan
data "conformance_thing" "missing" {
  name = "missing"
}

#### an error of a function
#! plan
output "joined" {
  value = provider::conformance::join(", ", "")
}

#### a refused configuration
#! plan
provider "conformance" {
  alias  = "third"
  refuse = true
}

resource "conformance_thing" "refused" {
  provider = conformance.third
  name     = "refused"
}

#### nothing but what was made
resource "conformance_thing" "source" {
  name  = "source"
  title = provider::conformance::join(", ", "one", "two")
}
