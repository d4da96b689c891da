#### made
resource "conformance_blocks" "none" {
  name = "none"
}

resource "conformance_blocks" "full" {
  name = "full"
  one {
    value = "v"
  }
  many {
    key = "a"
    deep {
      port = 1
    }
    deep {
      port = 2
    }
  }
  many {
    key   = "b"
    value = "w"
  }
  choice {
    key = "x"
  }
  choice {
    key   = "y"
    value = "z"
  }
}

resource "conformance_blocks" "refers" {
  name = "refers"
  one {
    value = conformance_blocks.full.many[0].handle
  }
  dynamic "choice" {
    for_each = conformance_blocks.full.many
    content {
      key   = choice.value.key
      value = choice.value.handle
    }
  }
}

#### changed
resource "conformance_blocks" "none" {
  name = "none"
  one {}
}

resource "conformance_blocks" "full" {
  name = "full"
  many {
    key   = "b"
    value = "w"
  }
  many {
    key = "c"
    deep {
      port = 2
    }
  }
  choice {
    key   = "y"
    value = "changed"
  }
  choice {
    key = "x"
  }
}

resource "conformance_blocks" "refers" {
  name = "refers"
  dynamic "choice" {
    for_each = conformance_blocks.full.many
    content {
      key   = choice.value.key
      value = choice.value.handle
    }
  }
}

#### another name
resource "conformance_blocks" "full" {
  name = "full, another"
  choice {
    key = "x"
  }
}
