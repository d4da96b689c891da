terraform {
  required_providers {
    shelf = {
      source = "example.com/tutorial/shelf"
    }
  }
}

provider "shelf" {
  folder = "notes"
}

variable "text" {
  type    = string
  default = "Buy some milk."
}

resource "shelf_note" "milk" {
  title = "milk"
  text  = var.text
}

output "words" {
  value = shelf_note.milk.words
}
