package modern

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// nested has attributes with attributes of their own, in every nesting mode, with computed ones inside. Protocol 6 only.
type nested struct{ managed }

type nestedModel struct {
	Name types.String         `tfsdk:"name"`
	One  *itemModel           `tfsdk:"one"`
	List []itemModel          `tfsdk:"list"`
	Set  []itemModel          `tfsdk:"set"`
	Map  map[string]itemModel `tfsdk:"map"`
	Auto types.Object         `tfsdk:"auto"`
}

type itemModel struct {
	Key    types.String `tfsdk:"key"`
	Value  types.String `tfsdk:"value"`
	Handle types.String `tfsdk:"handle"`
}

func (n *nested) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_nested"
}

func (n *nested) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	item := func() map[string]schema.Attribute {
		return map[string]schema.Attribute{
			"key":    schema.StringAttribute{Required: true},
			"value":  schema.StringAttribute{Optional: true, Sensitive: true},
			"handle": schema.StringAttribute{Computed: true},
		}
	}
	object := schema.NestedAttributeObject{Attributes: item()}
	resp.Schema = schema.Schema{Attributes: map[string]schema.Attribute{
		"name": schema.StringAttribute{
			Required: true, PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
		},
		"one":  schema.SingleNestedAttribute{Optional: true, Attributes: item()},
		"list": schema.ListNestedAttribute{Optional: true, NestedObject: object},
		"set":  schema.SetNestedAttribute{Optional: true, NestedObject: object},
		"map":  schema.MapNestedAttribute{Optional: true, NestedObject: object},
		"auto": schema.SingleNestedAttribute{Optional: true, Computed: true, Attributes: map[string]schema.Attribute{
			"zone": schema.StringAttribute{Optional: true, Computed: true},
		}},
	}}
}

func (i *itemModel) fill() {
	if i != nil && (i.Handle.IsUnknown() || i.Handle.IsNull()) {
		i.Handle = types.StringValue("handle of " + i.Key.ValueString())
	}
}

func (m *nestedModel) fill(ctx context.Context) {
	m.One.fill()
	for i := range m.List {
		m.List[i].fill()
	}
	for i := range m.Set {
		m.Set[i].fill()
	}
	for key, item := range m.Map {
		item.fill()
		m.Map[key] = item
	}
	zone := types.StringValue("zone a")
	if !m.Auto.IsUnknown() && !m.Auto.IsNull() {
		if given := m.Auto.Attributes()["zone"].(types.String); !given.IsUnknown() {
			zone = given
		}
	}
	m.Auto, _ = types.ObjectValueFrom(ctx, m.Auto.AttributeTypes(ctx), struct {
		Zone types.String `tfsdk:"zone"`
	}{zone})
}

func (n *nested) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan nestedModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	plan.fill(ctx)
	if err := n.remote.Create("nested", plan.Name.ValueString(), map[string]any{}); err != nil {
		resp.Diagnostics.AddError("Nested not created", err.Error())
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

func (n *nested) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state nestedModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if object, err := n.remote.Get("nested", state.Name.ValueString()); err != nil {
		resp.Diagnostics.AddError("Nested not read", err.Error())
	} else if object == nil {
		resp.State.RemoveResource(ctx)
	}
}

func (n *nested) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan nestedModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	plan.fill(ctx)
	if err := n.remote.Update("nested", plan.Name.ValueString(), map[string]any{}); err != nil {
		resp.Diagnostics.AddError("Nested not updated", err.Error())
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

func (n *nested) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state nestedModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if err := n.remote.Delete("nested", state.Name.ValueString()); err != nil {
		resp.Diagnostics.AddError("Nested not deleted", err.Error())
	}
}
