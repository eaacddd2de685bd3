// Package proxmoxve bridges the bpg Terraform provider into the plugin that the npm SDK
// @muhlba91/pulumi-proxmoxve talks to.
//
// What names things follows from that SDK's sources (tests/interchangeable.lab.test.ts compares them):
//   - `proxmox_storage_zfspool` is `proxmoxve:storage/zfspool:Zfspool`: all words but the last are the module;
//   - the names of old, `proxmox_virtual_environment_*`, get the suffix `Legacy`;
//   - an `id` that a person gives, as on storages, is called `resourceId`, because Pulumi has an `id` of its own.
package proxmoxve

import (
	"context"
	"fmt"
	"strings"

	"github.com/bpg/terraform-provider-proxmox/fwprovider"
	"github.com/bpg/terraform-provider-proxmox/proxmoxtf/provider"
	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	shim "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim"
	sdkv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// Package is the plugin's name in Pulumi.
const Package = "proxmoxve"

// Version is set by the linker: the one of the npm SDK. The bridge panics on an empty one.
var Version = "0.0.0-dev"

const (
	terraformPrefix = "proxmox_"
	legacyPrefix    = "proxmox_virtual_environment_"
	ownID           = "resourceId"
	nameLength      = 255
)

// Provider describes the plugin. metadata is what the schema generator wrote: which half of the provider, the
// older SDKv2 one or the framework one, answers for which resource.
func Provider(metadata []byte) tfbridge.ProviderInfo {
	framework := fwprovider.New(Version)()
	both := pf.MuxShimWithPF(context.Background(), sdkv2.NewProvider(provider.ProxmoxVirtualEnvironment()), framework)
	info := tfbridge.ProviderInfo{
		P:            both,
		Name:         "proxmox",
		DisplayName:  "Proxmox VE",
		Description:  "Proxmox VE as Pulumi resources. Rebuilt for machines without releases.",
		License:      "Apache-2.0",
		GitHubOrg:    "bpg",
		Version:      Version,
		Resources:    resourcesWithOwnID(pf.ShimProvider(framework)),
		MetadataInfo: tfbridge.NewProviderMetadata(metadata),
	}
	info.MustComputeTokens(tfbridge.Strategy{
		Resource: func(name string, r *tfbridge.ResourceInfo) error {
			module, member, err := split(name)
			r.Tok = tfbridge.MakeResource(Package, module, member)
			return err
		},
		DataSource: func(name string, d *tfbridge.DataSourceInfo) error {
			module, member, err := split(name)
			d.Tok = tfbridge.MakeDataSource(Package, module, "get"+member)
			return err
		},
	})
	info.SetAutonaming(nameLength, "-")
	return info
}

// split turns a Terraform name into a Pulumi module and member.
func split(name string) (module, member string, err error) {
	words, suffix := "", ""
	if rest, legacy := strings.CutPrefix(name, legacyPrefix); legacy {
		words, suffix = rest, "Legacy"
	} else if rest, ok := strings.CutPrefix(name, terraformPrefix); ok {
		words = rest
	} else {
		return "", "", fmt.Errorf("%s does not begin with %s", name, terraformPrefix)
	}
	module, last := "index", words
	if at := strings.LastIndex(words, "_"); at >= 0 {
		module, last = strings.ReplaceAll(words[:at], "_", "/"), words[at+1:]
	}
	return module, strings.ToUpper(last[:1]) + last[1:] + suffix, nil
}

// resourcesWithOwnID renames `id` where a person gives it, and takes Pulumi's id from there. That happens only in the
// framework half: in the SDKv2 half every resource has an implicit `id` that looks like an input and is none.
func resourcesWithOwnID(p shim.Provider) map[string]*tfbridge.ResourceInfo {
	infos := map[string]*tfbridge.ResourceInfo{}
	p.ResourcesMap().Range(func(name string, r shim.Resource) bool {
		id, ok := r.Schema().GetOk("id")
		if !ok || !(id.Required() || id.Optional()) {
			return true
		}
		infos[name] = &tfbridge.ResourceInfo{
			Fields:    map[string]*tfbridge.SchemaInfo{"id": {Name: ownID, Type: "string"}},
			ComputeID: idFromState,
		}
		return true
	})
	return infos
}

func idFromState(_ context.Context, state resource.PropertyMap) (resource.ID, error) {
	value := state[ownID]
	for value.IsSecret() {
		value = value.SecretValue().Element
	}
	if !value.IsString() || value.StringValue() == "" {
		return "", fmt.Errorf("the provider returned no %s", ownID)
	}
	return resource.ID(value.StringValue()), nil
}
