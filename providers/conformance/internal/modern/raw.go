package modern

import (
	"encoding/json"
	"errors"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
)

// rawState is a state as it was saved, in JSON or in the dotted keys of very old states.
func rawState(raw *tfprotov6.RawState) (map[string]any, error) {
	if raw == nil {
		return nil, errors.New("there is no state")
	}
	object := map[string]any{}
	if raw.JSON == nil {
		for name, value := range raw.Flatmap {
			object[name] = value
		}
		return object, nil
	}
	return object, json.Unmarshal(raw.JSON, &object)
}
