package modern

import (
	"context"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/types"
)

// blocks has nested blocks in every nesting mode of the framework, with computed attributes inside.
type blocks struct{ managed }

type blocksModel struct {
	Name   types.String `tfsdk:"name"`
	One    types.Object `tfsdk:"one"`
	Many   types.List   `tfsdk:"many"`
	Choice types.Set    `tfsdk:"choice"`
}

func (b *blocks) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_blocks"
}

func (b *blocks) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	item := func() map[string]schema.Attribute {
		return map[string]schema.Attribute{
			"key":    schema.StringAttribute{Required: true},
			"value":  schema.StringAttribute{Optional: true},
			"handle": schema.StringAttribute{Computed: true},
		}
	}
	deep := schema.ListNestedBlock{NestedObject: schema.NestedBlockObject{
		Attributes: map[string]schema.Attribute{"port": schema.Int64Attribute{Required: true}},
	}}
	resp.Schema = schema.Schema{
		Attributes: map[string]schema.Attribute{
			"name": schema.StringAttribute{
				Required: true, PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
		},
		Blocks: map[string]schema.Block{
			"one": schema.SingleNestedBlock{Attributes: map[string]schema.Attribute{
				"value": schema.StringAttribute{Optional: true},
			}},
			"many": schema.ListNestedBlock{NestedObject: schema.NestedBlockObject{
				Attributes: item(), Blocks: map[string]schema.Block{"deep": deep},
			}},
			"choice": schema.SetNestedBlock{NestedObject: schema.NestedBlockObject{Attributes: item()}},
		},
	}
}

// fill gives every element that has none yet its handle.
func fill(ctx context.Context, element attr.Value) attr.Value {
	object := element.(types.Object)
	attributes := object.Attributes()
	if handle := attributes["handle"]; handle.IsUnknown() || handle.IsNull() {
		key := attributes["key"].(types.String).ValueString()
		attributes["handle"] = types.StringValue(fmt.Sprintf("handle of %s", key))
	}
	return types.ObjectValueMust(object.AttributeTypes(ctx), attributes)
}

func (m *blocksModel) fill(ctx context.Context) {
	many := m.Many.Elements()
	for i := range many {
		many[i] = fill(ctx, many[i])
	}
	m.Many = types.ListValueMust(m.Many.ElementType(ctx), many)
	choice := m.Choice.Elements()
	for i := range choice {
		choice[i] = fill(ctx, choice[i])
	}
	m.Choice = types.SetValueMust(m.Choice.ElementType(ctx), choice)
}

func (b *blocks) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	var plan blocksModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	plan.fill(ctx)
	if err := b.remote.Create("blocks", plan.Name.ValueString(), map[string]any{}); err != nil {
		resp.Diagnostics.AddError("Blocks not created", err.Error())
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

func (b *blocks) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	var state blocksModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if object, err := b.remote.Get("blocks", state.Name.ValueString()); err != nil {
		resp.Diagnostics.AddError("Blocks not read", err.Error())
	} else if object == nil {
		resp.State.RemoveResource(ctx)
	}
}

func (b *blocks) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	var plan blocksModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	plan.fill(ctx)
	if err := b.remote.Update("blocks", plan.Name.ValueString(), map[string]any{}); err != nil {
		resp.Diagnostics.AddError("Blocks not updated", err.Error())
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

func (b *blocks) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	var state blocksModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if err := b.remote.Delete("blocks", state.Name.ValueString()); err != nil {
		resp.Diagnostics.AddError("Blocks not deleted", err.Error())
	}
}
