# Replaces the raw `lxc.*` lines in the live section of one guest's file, for which Proxmox VE has no call.
# Argument: the guest's number. Standard input: the lines wanted, in order.
# Under Proxmox VE's own lock; refused while an operation holds the guest; sections of snapshots and of waiting changes
# are left byte for byte; the file is replaced whole or not at all.
use Fcntl qw(:flock);
use strict;
use warnings;

my ($ctid) = ($ARGV[0] // '') =~ /^([1-9][0-9]{2,8})$/ or die "not a guest's number\n";
my @wanted = map { chomp; /^lxc\.[a-z0-9_\-.]+: [^\0]*$/ ? $_ : die "not a raw line: $_\n" } grep { /\S/ } <STDIN>;
my $path = ($ENV{PHOENIX_PVE} // '/etc/pve') . "/lxc/$ctid.conf";
my $locks = $ENV{PHOENIX_LOCKS} // '/run/lock/lxc';
my $lock_path = "$locks/pve-config-$ctid.lock";
mkdir $locks;    # as Proxmox VE does it, which may not have had a reason yet since the node started
open my $lock, '>>', $lock_path or die "$lock_path: $!\n";
my $deadline = time + 60;
until (flock $lock, LOCK_EX | LOCK_NB) {
  die "guest $ctid is locked by another process for over a minute\n" if time > $deadline;
  select undef, undef, undef, 0.1;
}
open my $in, '<:raw', $path or die "$path: $!\n";
my $text = do { local $/; <$in> };
close $in;
my ($live, $rest) = $text =~ /\A(.*?)(^\[.*)?\z/ms;
$live =~ /^lock: *(\S+)/m and die "guest $ctid is locked ($1)\n";
my @lines = grep { !/^lxc\.[a-z0-9_\-.]+\s*[:=]/ } split /\n/, $live;
pop @lines while @lines && $lines[-1] eq '';
my $next = join '', map { "$_\n" } @lines, @wanted;
$next .= "\n$rest" if defined $rest;
exit 0 if $next eq $text;
my $new = "$path.tmp.$$";
open my $out, '>:raw', $new or die "$new: $!\n";
(print {$out} $next and close $out) or do { my $why = $!; unlink $new; die "$new: $why\n" };
rename $new, $path or do { my $why = $!; unlink $new; die "$path: $why\n" };
