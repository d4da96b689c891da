package modern

import (
	"context"
	"fmt"
	"os"

	"github.com/hashicorp/terraform-plugin-framework/action"
	actionschema "github.com/hashicorp/terraform-plugin-framework/action/schema"
	"github.com/hashicorp/terraform-plugin-framework/list"
	listschema "github.com/hashicorp/terraform-plugin-framework/list/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"example.com/plumb/conformance/internal/remote"
)

// This file has what Terraform 1.14 added: actions, and listing what exists.

// notify is an action: it notes in the remote system that it was invoked.
type notify struct{ remote *remote.Remote }

type notifyModel struct {
	Name  types.String `tfsdk:"name"`
	Times types.Int64  `tfsdk:"times"`
	Fail  types.Bool   `tfsdk:"fail"`
	Crash types.Bool   `tfsdk:"crash"`
}

var _ action.ActionWithConfigure = &notify{}

func (n *notify) Metadata(_ context.Context, req action.MetadataRequest, resp *action.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_notify"
}

func (n *notify) Schema(_ context.Context, _ action.SchemaRequest, resp *action.SchemaResponse) {
	resp.Schema = actionschema.Schema{Attributes: map[string]actionschema.Attribute{
		"name":  actionschema.StringAttribute{Required: true},
		"times": actionschema.Int64Attribute{Optional: true, MarkdownDescription: "How often to report progress."},
		"fail":  actionschema.BoolAttribute{Optional: true},
		"crash": actionschema.BoolAttribute{Optional: true, MarkdownDescription: "Whether to end the process when it is done."},
	}}
}

func (n *notify) Configure(_ context.Context, req action.ConfigureRequest, _ *action.ConfigureResponse) {
	n.remote, _ = req.ProviderData.(*remote.Remote)
}

func (n *notify) Invoke(ctx context.Context, req action.InvokeRequest, resp *action.InvokeResponse) {
	var config notifyModel
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	for i := range config.Times.ValueInt64() {
		resp.SendProgress(action.InvokeProgressEvent{Message: fmt.Sprintf("step %d", i+1)})
	}
	if config.Fail.ValueBool() {
		resp.Diagnostics.AddError("Not notified", "The attribute `fail` says so.")
		return
	}
	if _, err := n.remote.Note("notify", "action", config.Name.ValueString()); err != nil {
		resp.Diagnostics.AddError("Not notified", err.Error())
	}
	if config.Crash.ValueBool() {
		os.Exit(1)
	}
}

// things lists the things of the remote system.
type things struct{ managed }

type thingsModel struct {
	Prefix types.String `tfsdk:"prefix"`
}

var _ list.ListResourceWithConfigure = &things{}

func (t *things) Metadata(_ context.Context, req resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = req.ProviderTypeName + "_thing"
}

func (t *things) ListResourceConfigSchema(_ context.Context, _ list.ListResourceSchemaRequest, resp *list.ListResourceSchemaResponse) {
	resp.Schema = listschema.Schema{Attributes: map[string]listschema.Attribute{
		"prefix": listschema.StringAttribute{Optional: true},
	}}
}

func (t *things) List(ctx context.Context, req list.ListRequest, stream *list.ListResultsStream) {
	var config thingsModel
	if diags := req.Config.Get(ctx, &config); diags.HasError() {
		stream.Results = list.ListResultsStreamDiagnostics(diags)
		return
	}
	names, err := t.remote.Names("thing", config.Prefix.ValueString())
	stream.Results = func(push func(list.ListResult) bool) {
		if err != nil {
			result := req.NewListResult(ctx)
			result.Diagnostics.AddError("Things not listed", err.Error())
			push(result)
			return
		}
		for i, name := range names {
			if req.Limit > 0 && int64(i) >= req.Limit {
				return
			}
			result := req.NewListResult(ctx)
			result.DisplayName = "the thing " + name
			result.Diagnostics.Append(result.Identity.Set(ctx, thingIdentity{Name: types.StringValue(name)})...)
			if !push(result) {
				return
			}
		}
	}
}
