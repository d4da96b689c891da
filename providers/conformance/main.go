// Command terraform-provider-conformance is a provider for testing hosts of providers.
//
// It is served over protocol 6, or over protocol 5 if the environment says CONFORMANCE_PROTOCOL=5 or the name of the
// executable ends in "_x5". Read the README beside it first.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/providerserver"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5"
	"github.com/hashicorp/terraform-plugin-go/tfprotov5/tf5server"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6"
	"github.com/hashicorp/terraform-plugin-go/tfprotov6/tf6server"
	"github.com/hashicorp/terraform-plugin-mux/tf5to6server"
	"github.com/hashicorp/terraform-plugin-mux/tf6muxserver"
	"github.com/hashicorp/terraform-plugin-mux/tf6to5server"

	"example.com/plumb/conformance/internal/legacy"
	"example.com/plumb/conformance/internal/modern"
	"example.com/plumb/conformance/internal/trouble"
)

const address = "example.com/plumb/conformance"

func main() {
	debug := flag.Bool("debug", false, "serve without a host and print how to attach to it")
	flag.Parse()
	trouble.AtStart()
	if err := serve(context.Background(), protocol(), *debug); err != nil {
		log.Fatal(err)
	}
}

func protocol() int {
	if os.Getenv("CONFORMANCE_PROTOCOL") == "5" || strings.HasSuffix(os.Args[0], "_x5") {
		return 5
	}
	return 6
}

// assemble puts the two providers, one for each development kit, behind one server, and trouble in front of it.
// Protocol 5 has no nested attributes, so that resource type is left out there.
func assemble(ctx context.Context, protocol int) (tfprotov6.ProviderServer, error) {
	old, err := tf5to6server.UpgradeServer(ctx, legacy.Provider().GRPCProvider)
	if err != nil {
		return nil, err
	}
	mux, err := tf6muxserver.NewMuxServer(ctx,
		providerserver.NewProtocol6(modern.New(protocol == 6)),
		func() tfprotov6.ProviderServer { return old },
	)
	if err != nil {
		return nil, err
	}
	return trouble.Wrap(mux.ProviderServer()), nil
}

func serve(ctx context.Context, protocol int, debug bool) error {
	server, err := assemble(ctx, protocol)
	if err != nil {
		return err
	}
	switch protocol {
	case 6:
		var options []tf6server.ServeOpt
		if debug {
			options = append(options, tf6server.WithManagedDebug())
		}
		return tf6server.Serve(address, func() tfprotov6.ProviderServer { return server }, options...)
	case 5:
		down, err := tf6to5server.DowngradeServer(ctx, func() tfprotov6.ProviderServer { return server })
		if err != nil {
			return err
		}
		var options []tf5server.ServeOpt
		if debug {
			options = append(options, tf5server.WithManagedDebug())
		}
		return tf5server.Serve(address, func() tfprotov5.ProviderServer { return down }, options...)
	}
	return fmt.Errorf("protocol %d does not exist", protocol)
}
