#### made
resource "time_static" "fixed" {
  rfc3339 = "2024-02-29T12:00:00Z"
}

resource "time_offset" "later" {
  base_rfc3339  = time_static.fixed.rfc3339
  offset_months = 1
}

resource "time_rotating" "rotation" {
  rfc3339       = "2024-02-29T12:00:00Z"
  rotation_days = 36500
  triggers      = { a = "b" }
}

resource "time_sleep" "short" {
  create_duration = "1ms"
  triggers        = { at = time_offset.later.rfc3339 }
}

output "parsed" {
  value = provider::time::rfc3339_parse("2023-07-25T23:43:16Z")
}

#### changed
resource "time_static" "fixed" {
  rfc3339 = "2024-03-01T12:00:00Z"
}

resource "time_offset" "later" {
  base_rfc3339 = time_static.fixed.rfc3339
  offset_days  = 2
}

resource "time_rotating" "rotation" {
  rfc3339       = "2024-02-29T12:00:00Z"
  rotation_days = 36501
  triggers      = { a = "c" }
}

resource "time_sleep" "short" {
  create_duration  = "2ms"
  destroy_duration = "1ms"
  triggers         = { at = time_offset.later.rfc3339 }
}
