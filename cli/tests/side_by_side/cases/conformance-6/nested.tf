#### made
resource "conformance_nested" "none" {
  name = "none"
}

resource "conformance_nested" "full" {
  name = "full"
  one  = { key = "k", value = "secret" }
  list = [{ key = "a" }, { key = "b", value = "s" }]
  set  = [{ key = "x" }, { key = "y", value = "t" }]
  map  = { m = { key = "z" }, n = { key = "w" } }
  auto = { zone = "given" }
}

resource "conformance_nested" "refers" {
  name = "refers"
  list = [for item in conformance_nested.full.list : { key = item.handle }]
  map  = { for key, item in conformance_nested.full.map : key => { key = item.handle } }
  auto = {}
}

#### changed
resource "conformance_nested" "none" {
  name = "none"
  list = []
  map  = {}
}

resource "conformance_nested" "full" {
  name = "full"
  one  = { key = "k2", value = "secret" }
  list = [{ key = "b", value = "s" }, { key = "c" }, { key = "d" }]
  set  = [{ key = "y", value = "t" }, { key = "x", value = "new" }]
  map  = { n = { key = "w", value = "v" }, o = { key = "q" } }
}

resource "conformance_nested" "refers" {
  name = "refers"
  list = [for item in conformance_nested.full.list : { key = item.handle }]
}

#### taken back
resource "conformance_nested" "full" {
  name = "full"
}
