// Package legacy is the part of the provider that is written with terraform-plugin-sdk/v2, as most providers were.
package legacy

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-sdk/v2/diag"
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"

	"example.com/plumb/conformance/internal/remote"
)

// Provider gives the provider.
func Provider() *schema.Provider {
	return &schema.Provider{
		Schema: map[string]*schema.Schema{
			"remote": {Type: schema.TypeString, Optional: true},
			"token":  {Type: schema.TypeString, Optional: true, Sensitive: true},
			"refuse": {Type: schema.TypeBool, Optional: true},
		},
		ProviderMetaSchema: map[string]*schema.Schema{
			"module_name": {Type: schema.TypeString, Optional: true},
		},
		ResourcesMap:   map[string]*schema.Resource{"conformance_legacy": resource()},
		DataSourcesMap: map[string]*schema.Resource{"conformance_legacy": dataSource()},
		ConfigureContextFunc: func(_ context.Context, data *schema.ResourceData) (any, diag.Diagnostics) {
			return remote.Shared(data.Get("remote").(string)), nil
		},
	}
}

func resource() *schema.Resource {
	return &schema.Resource{
		Description:   "An object with what is typical of the older kit.",
		SchemaVersion: 1,
		Schema: map[string]*schema.Schema{
			"name":  {Type: schema.TypeString, Required: true, ForceNew: true},
			"title": {Type: schema.TypeString, Optional: true, Default: "untitled"},
			"count_of_parts": {
				Type: schema.TypeInt, Optional: true, Description: "Null and zero cannot be told apart.",
			},
			"ratio":   {Type: schema.TypeFloat, Optional: true},
			"enabled": {Type: schema.TypeBool, Optional: true},
			"secret":  {Type: schema.TypeString, Optional: true, Sensitive: true},
			"case": {
				Type: schema.TypeString, Optional: true, Description: "The remote system ignores case.",
				DiffSuppressFunc: func(_, before, after string, _ *schema.ResourceData) bool {
					return strings.EqualFold(before, after)
				},
			},
			"tags":    {Type: schema.TypeMap, Optional: true, Elem: &schema.Schema{Type: schema.TypeString}},
			"zones":   {Type: schema.TypeSet, Optional: true, Elem: &schema.Schema{Type: schema.TypeString}},
			"address": {Type: schema.TypeString, Computed: true},
			"rule": {
				Type: schema.TypeSet, Optional: true,
				Elem: &schema.Resource{Schema: map[string]*schema.Schema{
					"port":   {Type: schema.TypeInt, Required: true},
					"handle": {Type: schema.TypeString, Computed: true},
				}},
			},
			"disk": {
				Type: schema.TypeList, Optional: true, MaxItems: 2,
				Elem: &schema.Resource{Schema: map[string]*schema.Schema{
					"size": {Type: schema.TypeInt, Optional: true, Default: 10},
				}},
			},
			"entry": {
				Type: schema.TypeList, Optional: true, ConfigMode: schema.SchemaConfigModeAttr,
				Elem: &schema.Resource{Schema: map[string]*schema.Schema{
					"key": {Type: schema.TypeString, Optional: true},
				}},
			},
			"status": {Type: schema.TypeList, Computed: true, Elem: &schema.Resource{Schema: map[string]*schema.Schema{
				"state": {Type: schema.TypeString, Computed: true},
			}}},
		},
		Timeouts: &schema.ResourceTimeout{
			Create: schema.DefaultTimeout(5 * time.Minute),
			Delete: schema.DefaultTimeout(5 * time.Minute),
		},
		StateUpgraders: []schema.StateUpgrader{{
			Version: 0,
			Type:    previous().CoreConfigSchema().ImpliedType(),
			Upgrade: func(_ context.Context, raw map[string]any, _ any) (map[string]any, error) {
				raw["title"] = raw["caption"]
				delete(raw, "caption")
				return raw, nil
			},
		}},
		CustomizeDiff: func(_ context.Context, diff *schema.ResourceDiff, _ any) error {
			if diff.Id() != "" && diff.HasChange("zones") {
				return diff.ForceNew("zones")
			}
			return nil
		},
		Importer:      &schema.ResourceImporter{StateContext: schema.ImportStatePassthroughContext},
		CreateContext: create,
		ReadContext:   read,
		UpdateContext: update,
		DeleteContext: remove,
	}
}

// previous is version 0 of the schema, where the title was called caption.
func previous() *schema.Resource {
	return &schema.Resource{Schema: map[string]*schema.Schema{
		"name":    {Type: schema.TypeString, Required: true},
		"caption": {Type: schema.TypeString, Optional: true},
	}}
}

func object(data *schema.ResourceData) map[string]any {
	return map[string]any{"title": data.Get("title"), "case": data.Get("case")}
}

func create(ctx context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
	name := data.Get("name").(string)
	if err := meta.(*remote.Remote).Create("legacy", name, object(data)); err != nil {
		return diag.FromErr(err)
	}
	data.SetId(name)
	return settle(data)
}

// settle sets what the remote system chooses.
func settle(data *schema.ResourceData) diag.Diagnostics {
	var rules []any
	for _, rule := range data.Get("rule").(*schema.Set).List() {
		rule := rule.(map[string]any)
		rule["handle"] = fmt.Sprintf("handle of %v", rule["port"])
		rules = append(rules, rule)
	}
	for name, value := range map[string]any{
		"address": "legacy://" + data.Id(),
		"rule":    rules,
		"status":  []any{map[string]any{"state": "ready"}},
	} {
		if err := data.Set(name, value); err != nil {
			return diag.FromErr(err)
		}
	}
	return nil
}

func read(_ context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
	object, err := meta.(*remote.Remote).Get("legacy", data.Id())
	if err != nil {
		return diag.FromErr(err)
	}
	if object == nil {
		data.SetId("")
		return nil
	}
	for name, value := range map[string]any{"name": data.Id(), "title": object["title"], "case": object["case"]} {
		if err := data.Set(name, value); err != nil {
			return diag.FromErr(err)
		}
	}
	return settle(data)
}

func update(_ context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
	if err := meta.(*remote.Remote).Update("legacy", data.Id(), object(data)); err != nil {
		return diag.FromErr(err)
	}
	return settle(data)
}

func remove(_ context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
	return diag.FromErr(meta.(*remote.Remote).Delete("legacy", data.Id()))
}

func dataSource() *schema.Resource {
	return &schema.Resource{
		Schema: map[string]*schema.Schema{
			"name":  {Type: schema.TypeString, Required: true},
			"title": {Type: schema.TypeString, Computed: true},
		},
		ReadContext: func(_ context.Context, data *schema.ResourceData, meta any) diag.Diagnostics {
			name := data.Get("name").(string)
			object, err := meta.(*remote.Remote).Get("legacy", name)
			if err == nil && object == nil {
				err = remote.ErrMissing
			}
			if err != nil {
				return diag.FromErr(err)
			}
			data.SetId(name)
			return diag.FromErr(data.Set("title", object["title"]))
		},
	}
}
