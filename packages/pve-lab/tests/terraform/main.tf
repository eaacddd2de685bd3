# The life of a node's things as the provider bpg/proxmox writes it: applied, changed in place, drifted, destroyed.
terraform {
  required_providers {
    proxmox = { source = "bpg/proxmox" }
  }
}
variable "address" {}
variable "key" {}
variable "iso" {}
variable "words" { default = "first" }
variable "memory" { default = 256 }
variable "cores" { default = 1 }
variable "disk" { default = 2 }
variable "tags" {
  type    = list(string)
  default = ["one", "two"]
}
variable "dns" {
  type    = list(string)
  default = ["10.0.0.13"]
}
variable "bridge_address" { default = "10.77.0.1/24" }
variable "zone" { default = "UTC" }
provider "proxmox" {
  insecure = true
  ssh {
    agent       = false
    username    = "root"
    private_key = file(var.key)
    node {
      name    = "pve"
      address = var.address
    }
  }
}
data "proxmox_virtual_environment_version" "v" {}
data "proxmox_virtual_environment_nodes" "n" {}
data "proxmox_virtual_environment_node" "pve" { node_name = "pve" }
data "proxmox_virtual_environment_datastores" "d" {
  node_name  = "pve"
  depends_on = [proxmox_storage_directory.files]
}
data "proxmox_virtual_environment_roles" "r" {}
data "proxmox_virtual_environment_users" "u" {}
data "proxmox_virtual_environment_groups" "g" {}
data "proxmox_virtual_environment_pools" "p" {}
data "proxmox_virtual_environment_dns" "d" { node_name = "pve" }
data "proxmox_virtual_environment_hosts" "h" { node_name = "pve" }
data "proxmox_virtual_environment_time" "t" { node_name = "pve" }
data "proxmox_virtual_environment_containers" "all" { node_name = "pve" }
data "proxmox_virtual_environment_vms" "all" { node_name = "pve" }

resource "proxmox_storage_directory" "files" {
  id      = "tffiles"
  path    = "/tank/files"
  nodes   = ["pve"]
  content = ["vztmpl", "iso", "snippets", "backup"]
  shared  = false
  disable = false
  backups { keep_daily = 7 }
}
resource "proxmox_storage_zfspool" "guests" {
  id             = "tfguests"
  nodes          = ["pve"]
  zfs_pool       = "tank/guests"
  content        = ["rootdir"]
  thin_provision = true
}
resource "proxmox_download_file" "os" {
  content_type = "vztmpl"
  datastore_id = proxmox_storage_directory.files.id
  node_name    = "pve"
  url          = "http://127.0.0.1:8099/template/debian-12-standard_12_amd64.tar.zst"
  overwrite    = false
}
resource "proxmox_virtual_environment_file" "iso" {
  content_type = "iso"
  datastore_id = proxmox_storage_directory.files.id
  node_name    = "pve"
  source_file { path = var.iso }
}
resource "proxmox_virtual_environment_file" "snippet" {
  content_type = "snippets"
  datastore_id = proxmox_storage_directory.files.id
  node_name    = "pve"
  file_mode    = "0700"
  source_raw {
    file_name = "hook.sh"
    data      = "#!/bin/sh\nexit 0\n"
  }
}
resource "proxmox_virtual_environment_pool" "pool" {
  pool_id = "tfpool"
  comment = "pool ${var.words}"
}
resource "proxmox_virtual_environment_group" "team" {
  group_id = "tfteam"
  comment  = "group ${var.words}"
}
resource "proxmox_virtual_environment_role" "role" {
  role_id    = "TfRole"
  privileges = var.words == "first" ? ["VM.Audit", "Datastore.Audit"] : ["VM.Audit", "VM.PowerMgmt"]
}
resource "proxmox_virtual_environment_user" "user" {
  user_id         = "tf@pve"
  password        = "secret-${var.words}-1"
  comment         = "user ${var.words}"
  email           = "tf@example.org"
  first_name      = "Terra"
  last_name       = "Form"
  groups          = [proxmox_virtual_environment_group.team.group_id]
  expiration_date = "2034-01-01T22:00:00Z"
  acl {
    path      = "/pool/${proxmox_virtual_environment_pool.pool.pool_id}"
    propagate = true
    role_id   = proxmox_virtual_environment_role.role.role_id
  }
}
resource "proxmox_acl" "group" {
  group_id  = proxmox_virtual_environment_group.team.group_id
  role_id   = proxmox_virtual_environment_role.role.role_id
  path      = "/storage/tfguests"
  propagate = false
}
resource "proxmox_user_token" "token" {
  user_id               = proxmox_virtual_environment_user.user.user_id
  token_name            = "tk1"
  comment               = "token ${var.words}"
  privileges_separation = true
}
resource "proxmox_acl" "token" {
  token_id = proxmox_user_token.token.id
  role_id  = "PVEAuditor"
  path     = "/vms"
}
resource "proxmox_pool_membership" "storage" {
  pool_id    = proxmox_virtual_environment_pool.pool.id
  storage_id = proxmox_storage_zfspool.guests.id
}
resource "proxmox_virtual_environment_dns" "dns" {
  node_name = "pve"
  domain    = "lab.test"
  servers   = var.dns
}
resource "proxmox_virtual_environment_hosts" "hosts" {
  node_name = "pve"
  entry {
    address   = "127.0.0.1"
    hostnames = ["localhost", "localhost.localdomain"]
  }
  entry {
    address   = "10.0.0.13"
    hostnames = ["pve", "pve.${var.words}.test"]
  }
}
resource "proxmox_virtual_environment_time" "time" {
  node_name = "pve"
  time_zone = var.zone
}
resource "proxmox_network_linux_bridge" "br" {
  node_name = "pve"
  name      = "vmbr77"
  address   = var.bridge_address
  comment   = "bridge ${var.words}"
  autostart = true
}
resource "proxmox_virtual_environment_container" "base" {
  node_name     = "pve"
  vm_id         = 700
  description   = "base ${var.words}"
  tags          = var.tags
  unprivileged  = true
  start_on_boot = false
  pool_id       = proxmox_virtual_environment_pool.pool.id
  features { nesting = true }
  startup {
    order      = 3
    up_delay   = 1
    down_delay = 30
  }
  cpu {
    cores = var.cores
    units = 512
  }
  memory {
    dedicated = var.memory
    swap      = 64
  }
  disk {
    datastore_id = proxmox_storage_zfspool.guests.id
    size         = var.disk
  }
  mount_point {
    volume = proxmox_storage_zfspool.guests.id
    size   = "1G"
    path   = "/data"
    backup = true
  }
  device_passthrough {
    path = "/dev/fuse"
    mode = "0666"
  }
  console {
    enabled   = true
    type      = "shell"
    tty_count = 3
  }
  initialization {
    hostname = "tfbase"
    dns {
      domain  = "lab.test"
      servers = var.dns
    }
    ip_config {
      ipv4 {
        address = "10.0.0.70/24"
        gateway = "10.0.0.13"
      }
    }
    ip_config {
      ipv4 { address = "10.77.0.7/24" }
    }
    user_account {
      keys = [trimspace(file("${var.key}.pub"))]
    }
  }
  network_interface {
    name     = "eth0"
    bridge   = "vmbr0"
    firewall = true
  }
  network_interface {
    name   = "eth1"
    bridge = proxmox_network_linux_bridge.br.name
    mtu    = 1400
  }
  operating_system {
    template_file_id = proxmox_download_file.os.id
    type             = "debian"
  }
  wait_for_ip { ipv4 = true }
}
resource "proxmox_virtual_environment_firewall_options" "fw" {
  node_name     = "pve"
  container_id  = proxmox_virtual_environment_container.base.vm_id
  dhcp          = true
  enabled       = var.words != "first"
  ipfilter      = true
  log_level_in  = "info"
  log_level_out = "nolog"
  macfilter     = false
  ndp           = true
  input_policy  = "DROP"
  output_policy = "ACCEPT"
  radv          = true
}
resource "proxmox_virtual_environment_firewall_alias" "alias" {
  node_name    = "pve"
  container_id = proxmox_virtual_environment_container.base.vm_id
  name         = "net"
  cidr         = "192.168.0.0/23"
  comment      = "alias ${var.words}"
}
resource "proxmox_virtual_environment_firewall_ipset" "set" {
  node_name    = "pve"
  container_id = proxmox_virtual_environment_container.base.vm_id
  name         = "admins"
  comment      = "set ${var.words}"
  cidr {
    name    = "192.168.0.0/24"
    comment = "one"
  }
  cidr {
    name    = "192.168.0.9"
    comment = "not this"
    nomatch = true
  }
}
resource "proxmox_virtual_environment_firewall_rules" "rules" {
  depends_on   = [proxmox_virtual_environment_firewall_alias.alias, proxmox_virtual_environment_firewall_ipset.set]
  node_name    = "pve"
  container_id = proxmox_virtual_environment_container.base.vm_id
  rule {
    type    = "in"
    action  = "ACCEPT"
    comment = "web ${var.words}"
    source  = "+admins"
    dport   = "80,443"
    proto   = "tcp"
    log     = "info"
  }
  rule {
    type   = "in"
    action = "ACCEPT"
    macro  = "SSH"
    source = "net"
    iface  = "net0"
  }
  dynamic "rule" {
    for_each = var.words == "first" ? [] : [1]
    content {
      type   = "out"
      action = "REJECT"
      dest   = "10.9.9.0/24"
    }
  }
}
resource "proxmox_virtual_environment_container" "origin" {
  node_name     = "pve"
  vm_id         = 701
  unprivileged  = true
  started       = false
  start_on_boot = false
  disk {
    datastore_id = proxmox_storage_zfspool.guests.id
    size         = 1
  }
  initialization {
    hostname = "origin"
    ip_config {
      ipv4 { address = "dhcp" }
    }
  }
  network_interface {
    name   = "eth0"
    bridge = "vmbr0"
  }
  operating_system {
    template_file_id = proxmox_download_file.os.id
    type             = "debian"
  }
}
resource "proxmox_virtual_environment_container" "copy" {
  node_name    = "pve"
  vm_id        = 702
  description  = "clone ${var.words}"
  tags         = var.tags
  unprivileged = true
  clone {
    vm_id = proxmox_virtual_environment_container.origin.vm_id
    full  = true
  }
  cpu { cores = var.cores }
  memory { dedicated = var.memory }
  initialization {
    hostname = "copy-${var.words}"
    ip_config {
      ipv4 {
        address = "10.0.0.72/24"
        gateway = "10.0.0.13"
      }
    }
  }
  network_interface {
    name   = "eth0"
    bridge = "vmbr0"
  }
  start_on_boot = false
}
