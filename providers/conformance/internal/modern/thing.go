package modern

import (
	"context"
	"fmt"
	"math/big"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/identityschema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/int64default"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
	"github.com/hashicorp/terraform-plugin-go/tftypes"
)

// thing has one attribute for each feature of flat attributes: see the README.
type thing struct{ managed }

var (
	_ resource.ResourceWithConfigure    = &thing{}
	_ resource.ResourceWithIdentity     = &thing{}
	_ resource.ResourceWithImportState  = &thing{}
	_ resource.ResourceWithModifyPlan   = &thing{}
	_ resource.ResourceWithMoveState    = &thing{}
	_ resource.ResourceWithUpgradeState = &thing{}

	_ resource.ResourceWithUpgradeIdentity = &thing{}
)

type thingModel struct {
	Name      types.String   `tfsdk:"name"`
	Title     types.String   `tfsdk:"title"`
	Size      types.Int64    `tfsdk:"size"`
	Precise   types.Number   `tfsdk:"precise"`
	Tags      types.Map      `tfsdk:"tags"`
	Ports     types.Set      `tfsdk:"ports"`
	Steps     types.List     `tfsdk:"steps"`
	Anything  types.Dynamic  `tfsdk:"anything"`
	Secret    types.String   `tfsdk:"secret"`
	Password  types.String   `tfsdk:"password_wo"`
	Revision  types.Int64    `tfsdk:"revision"`
	Label     types.String   `tfsdk:"label"`
	Deprec    types.String   `tfsdk:"old_title"`
	Misbehave types.String   `tfsdk:"misbehave"`
	Timeouts  timeouts.Value `tfsdk:"timeouts"`
}

// metaModel is what a module says in `provider_meta`.
type metaModel struct {
	Module types.String `tfsdk:"module_name"`
}

type thingIdentity struct {
	Name types.String `tfsdk:"name"`
}

func (t *thing) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_thing"
}

func (t *thing) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		Version:             2,
		MarkdownDescription: "An object with one attribute for each feature.",
		Attributes: map[string]schema.Attribute{
			"name": schema.StringAttribute{
				Required:            true,
				MarkdownDescription: "Unique. Another name is **another object**.",
				PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"title":    schema.StringAttribute{Optional: true},
			"size":     schema.Int64Attribute{Optional: true, Computed: true, Default: int64default.StaticInt64(1)},
			"precise":  schema.NumberAttribute{Optional: true},
			"tags":     schema.MapAttribute{Optional: true, ElementType: types.StringType},
			"ports":    schema.SetAttribute{Optional: true, ElementType: types.NumberType},
			"steps":    schema.ListAttribute{Optional: true, ElementType: types.StringType},
			"anything": schema.DynamicAttribute{Optional: true},
			"secret":   schema.StringAttribute{Optional: true, Sensitive: true},
			"password_wo": schema.StringAttribute{
				Optional: true, WriteOnly: true, MarkdownDescription: "Given, never kept.",
			},
			"revision": schema.Int64Attribute{
				Computed: true, MarkdownDescription: "How often it was changed; not known while a change is planned.",
			},
			"label": schema.StringAttribute{
				Optional: true, Computed: true, MarkdownDescription: "Chosen once, unless it is given.",
				PlanModifiers: []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"old_title": schema.StringAttribute{Optional: true, DeprecationMessage: "Use `title`."},
			"misbehave": schema.StringAttribute{Optional: true, MarkdownDescription: "See the README."},
		},
		Blocks: map[string]schema.Block{
			"timeouts": timeouts.Block(ctx, timeouts.Opts{Create: true, Delete: true}),
		},
	}
}

func (t *thing) IdentitySchema(_ context.Context, _ resource.IdentitySchemaRequest, resp *resource.IdentitySchemaResponse) {
	resp.IdentitySchema = identityschema.Schema{Version: 1, Attributes: map[string]identityschema.Attribute{
		"name": identityschema.StringAttribute{RequiredForImport: true},
	}}
}

// UpgradeIdentity knows version 0, where the name was called `id`.
func (t *thing) UpgradeIdentity(context.Context) map[int64]resource.IdentityUpgrader {
	upgrade := func(ctx context.Context, req resource.UpgradeIdentityRequest, resp *resource.UpgradeIdentityResponse) {
		raw, err := rawState(req.RawIdentity)
		if err != nil {
			resp.Diagnostics.AddError("Identity not upgraded", err.Error())
			return
		}
		name, _ := raw["id"].(string)
		resp.Diagnostics.Append(resp.Identity.Set(ctx, thingIdentity{Name: types.StringValue(name)})...)
	}
	return map[int64]resource.IdentityUpgrader{0: {IdentityUpgrader: upgrade}}
}

// ModifyPlan makes the revision unknown when anything else changes, warns, and asks for another object when `size` shrinks.
func (t *thing) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() || req.State.Raw.IsNull() {
		return
	}
	var prior, planned thingModel
	resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &planned)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if !planned.Size.IsUnknown() && planned.Size.ValueInt64() < prior.Size.ValueInt64() {
		resp.RequiresReplace.Append(path.Root("size"))
	}
	if planned.Title.ValueString() == "warn" {
		resp.Diagnostics.AddAttributeWarning(path.Root("title"), "Odd title", "The title asks for a warning.")
	}
}

func (t *thing) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan, config thingModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	plan.Revision = types.Int64Value(1)
	if plan.Label.IsUnknown() {
		plan.Label = types.StringValue("label of " + plan.Name.ValueString())
	}
	var meta *metaModel
	resp.Diagnostics.Append(req.ProviderMeta.Get(ctx, &meta)...)
	if err := t.remote.Create("thing", plan.Name.ValueString(), plan.object(config, meta)); err != nil {
		resp.Diagnostics.AddError("Thing not created", err.Error())
		return
	}
	resp.Diagnostics.Append(resp.Private.SetKey(ctx, "made", []byte(`{"by":"create"}`))...)
	plan.Password = types.StringNull()
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, thingIdentity{Name: plan.Name})...)
}

// object is what the remote system keeps: that a password was given, but not which, and which module asked.
func (m *thingModel) object(config thingModel, meta *metaModel) map[string]any {
	object := map[string]any{"revision": m.Revision.ValueInt64(), "size": m.Size.ValueInt64()}
	for name, value := range map[string]types.String{"title": m.Title, "label": m.Label, "old_title": m.Deprec} {
		if !value.IsNull() {
			object[name] = value.ValueString()
		}
	}
	if meta != nil && !meta.Module.IsNull() {
		object["module"] = meta.Module.ValueString()
	}
	if !config.Password.IsNull() {
		object["password_length"] = len(config.Password.ValueString())
	}
	return object
}

func (t *thing) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state thingModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	object, err := t.remote.Get("thing", state.Name.ValueString())
	if err != nil {
		resp.Diagnostics.AddError("Thing not read", err.Error())
		return
	}
	if object == nil {
		// The kit wants an identity also for what is gone.
		resp.Diagnostics.Append(resp.Identity.Set(ctx, thingIdentity{Name: state.Name})...)
		resp.State.RemoveResource(ctx)
		return
	}
	state.refresh(object)
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, thingIdentity{Name: state.Name})...)
}

func (m *thingModel) refresh(object map[string]any) {
	text := func(name string) types.String {
		if value, ok := object[name].(string); ok {
			return types.StringValue(value)
		}
		return types.StringNull()
	}
	number := func(name string) types.Int64 {
		switch value := object[name].(type) {
		case float64:
			return types.Int64Value(int64(value))
		case int64:
			return types.Int64Value(value)
		}
		return types.Int64Null()
	}
	m.Title, m.Label, m.Deprec = text("title"), text("label"), text("old_title")
	m.Size, m.Revision = number("size"), number("revision")
}

func (t *thing) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan, config, prior thingModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &prior)...)
	if resp.Diagnostics.HasError() {
		return
	}
	plan.Revision = types.Int64Value(prior.Revision.ValueInt64() + 1)
	var meta *metaModel
	resp.Diagnostics.Append(req.ProviderMeta.Get(ctx, &meta)...)
	if err := t.remote.Update("thing", plan.Name.ValueString(), plan.object(config, meta)); err != nil {
		resp.Diagnostics.AddError("Thing not updated", err.Error())
		return
	}
	plan.Password = types.StringNull()
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
	resp.Diagnostics.Append(resp.Identity.Set(ctx, thingIdentity{Name: plan.Name})...)
}

func (t *thing) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state thingModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if err := t.remote.Delete("thing", state.Name.ValueString()); err != nil {
		resp.Diagnostics.AddError("Thing not deleted", err.Error())
	}
}

func (t *thing) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resource.ImportStatePassthroughWithIdentity(ctx, path.Root("name"), path.Root("name"), req, resp)
}

// UpgradeState knows version 0, where the name was called `id` and the size was text, and version 1, where only the
// size was text.
func (t *thing) UpgradeState(context.Context) map[int64]resource.StateUpgrader {
	upgrade := func(ctx context.Context, raw map[string]any, resp *resource.UpgradeStateResponse) {
		name, _ := raw["name"].(string)
		if id, ok := raw["id"].(string); ok {
			name = id
		}
		size, ok := new(big.Float).SetString(fmt.Sprint(raw["size"]))
		if !ok {
			size = big.NewFloat(1)
		}
		whole, _ := size.Int64()
		resp.State.Raw = tftypes.NewValue(resp.State.Schema.Type().TerraformType(ctx), nil)
		set := func(attribute string, value any) {
			resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(attribute), value)...)
		}
		set("name", name)
		set("size", whole)
		if title, ok := raw["title"].(string); ok {
			set("title", title)
		}
	}
	upgrader := resource.StateUpgrader{
		StateUpgrader: func(ctx context.Context, req resource.UpgradeStateRequest, resp *resource.UpgradeStateResponse) {
			raw, err := rawState(req.RawState)
			if err != nil {
				resp.Diagnostics.AddError("State not upgraded", err.Error())
				return
			}
			upgrade(ctx, raw, resp)
		},
	}
	return map[int64]resource.StateUpgrader{0: upgrader, 1: upgrader}
}

// MoveState takes over objects of the older kit's resource type.
func (t *thing) MoveState(context.Context) []resource.StateMover {
	return []resource.StateMover{{
		StateMover: func(ctx context.Context, req resource.MoveStateRequest, resp *resource.MoveStateResponse) {
			if req.SourceTypeName != "conformance_legacy" {
				return
			}
			raw, err := rawState(req.SourceRawState)
			if err != nil {
				resp.Diagnostics.AddError("State not moved", err.Error())
				return
			}
			name, _ := raw["name"].(string)
			resp.Diagnostics.Append(resp.TargetState.SetAttribute(ctx, path.Root("name"), name)...)
			resp.Diagnostics.Append(resp.TargetState.SetAttribute(ctx, path.Root("size"), int64(1))...)
		},
	}}
}
