# What `pct set` has to change for a guest to be as wanted: a pure function of its three inputs, read from standard
# input and separated by NUL: the parameters (JSON), the text of `pct config`, and what this guest was given earlier
# (one item a line). Printed as NUL-separated pairs of a kind and a value:
#   reason TEXT    one difference            set WORD       a word of `pct set`, in order
#   raw LINE       wanted raw line; with "raw-changed 1" before them if they are not as wanted
#   owned ITEM     what is ours from now on  conflict TEXT  a place that somebody else's setting takes
# Only what is wanted or was given earlier is ever touched: what a person added stays. Items are named by what they
# are and never by their index, so that order, additions and a rollback of the guest change nothing.
use JSON::PP;
use strict;
use warnings;

my ($json, $text, $given) = split /\0/, do { local $/; <STDIN> }, 3;
# Bytes in, bytes out: texts are never taken apart.
my $wanted = JSON::PP->new->decode($json);
my %given = map { $_ => 1 } split /\n/, $given // '';
my (%now, @raw);
for my $line (split /\n/, $text) {
  if ($line =~ /^(lxc\.[a-z0-9_\-.]+):\s*(.*?)\s*$/) { push @raw, "$1: $2" }
  elsif ($line =~ /^([a-z][a-z_]*[0-9]*):\s*(.*?)\s*$/) { $now{$1} = $2 }
}
my (@out, %set, %delete, %owned);

features();
list_of('dev', devices_wanted(), sub { device_parts($_[0]) }, \&same_device);
list_of('mp', mounts_wanted(), sub { mount_parts($_[0]) }, \&same_mount);
options();
description();
raw_lines();

say_pair(set => $_) for map { ("--$_", $set{$_}) } sort keys %set;
say_pair(set => $_) for %delete ? ('--delete', join ',', sort keys %delete) : ();
say_pair(owned => $_) for sort keys %{ { %given, %owned } };
print join '', @out;

sub say_pair { my ($kind, $value) = @_; push @out, "$kind\0$value\0"; return }

sub reason { say_pair(reason => $_[0]); return }

# --- feature flags: ours are set whole, those of others stay ---------------------------------------------------------

sub features {
  my $flags = $wanted->{features} // return;
  my %current = map { split /=/, $_, 2 } grep { !/=0$/ } split /,/, $now{features} // '';
  my %next = %current;
  for my $flag (qw(nesting keyctl fuse mknod force_rw_sys)) {
    next if !exists $flags->{$flag};
    if ($flags->{$flag}) { $next{$flag} = 1 } else { delete $next{$flag} }
  }
  my $mount = join ';', sort @{ $flags->{mount} // [] };
  if ($mount ne '') { $next{mount} = $mount; $owned{'feature mount'} = 1 }
  elsif ($given{'feature mount'}) { delete $next{mount} }
  my ($before, $after) = map { my $of = $_; join ',', map { "$_=$of->{$_}" } sort keys %$of } \%current, \%next;
  return if $before eq $after;
  reason("feature flags are '$before', wanted '$after'");
  if ($after eq '') { $delete{features} = 1 } else { $set{features} = $after }
  return;
}

# --- devN and mpN ----------------------------------------------------------------------------------------------------

sub parts {
  my ($value, $first) = @_;
  my %parts;
  for my $part (split /,/, $value) {
    if ($part =~ /^([a-z-]+)=(.*)$/) { $parts{$1} = $2 } else { $parts{$first} = $part }
  }
  return \%parts;
}

sub device_parts { my $parts = parts($_[0], 'path'); return { id => $parts->{path}, place => $parts->{path}, value => $parts } }

sub mount_parts {
  my $parts = parts($_[0], 'volume');
  return { id => "$parts->{volume} $parts->{mp}", place => $parts->{mp}, source => $parts->{volume}, value => $parts };
}

sub same_device {
  my ($one, $other) = @_;
  my %default = (uid => 0, gid => 0, mode => '0660', 'deny-write' => 0);
  return !grep { ($one->{$_} // $default{$_}) ne ($other->{$_} // $default{$_}) } keys %default;
}

sub same_mount {
  my ($one, $other) = @_;
  return $one->{volume} eq $other->{volume} && $one->{mp} eq $other->{mp} && ($one->{ro} // 0) eq ($other->{ro} // 0);
}

sub devices_wanted {
  my @list;
  for my $device (@{ $wanted->{devices} // [] }) {
    my @more = map { "$_=$device->{$_}" } grep { defined $device->{$_} } qw(gid mode uid);
    push @more, 'deny-write=1' if $device->{denyWrite};
    push @list, join ',', $device->{path}, @more;
  }
  return \@list;
}

sub mounts_wanted {
  return [ map { "$_->{source},mp=$_->{path}" . ($_->{readOnly} ? ',ro=1' : '') } @{ $wanted->{mounts} // [] } ];
}

# Each wanted item keeps the index it has; a new one takes the first that is free; what was ours and is not wanted goes.
sub list_of {
  my ($key, $list, $read, $same) = @_;
  my %current = map { $_ => $read->($now{$_}) } grep { /^$key\d+$/ } keys %now;
  my %taken;
  my $number = sub { my ($index) = $_[0] =~ /(\d+)$/; return $index };
  my @indexes = sort { $number->($a) <=> $number->($b) } keys %current;
  my @homeless;
  for my $value (@$list) {
    my $item = $read->($value);
    $owned{"$key $item->{id}"} = 1;
    my ($index) = grep { !$taken{$_} && $current{$_}{id} eq $item->{id} } @indexes;
    if (!defined $index) { push @homeless, [ $value, $item ]; next }
    $taken{$index} = 1;
    next if $same->($current{$index}{value}, $item->{value});
    reason("$index is '$now{$index}', wanted '$value'");
    $set{$index} = $value;
  }
  for my $pair (@homeless) {
    my ($value, $item) = @$pair;
    # The same thing at another place, or another thing of ours at the same place, moves within its index.
    my ($index) = grep {
      my $old = $current{$_};
      !$taken{$_} && $given{"$key $old->{id}"} && ($old->{place} eq $item->{place} || ($old->{source} // '') eq ($item->{source} // '-'))
    } @indexes;
    if (defined $index) { reason("$index is '$now{$index}', wanted '$value'") }
    else {
      my ($other) = grep { !$taken{$_} && $current{$_}{place} eq $item->{place} } @indexes;
      if (defined $other) {
        reason("$other is '$now{$other}', wanted '$value'");
        say_pair(conflict => "$other: $now{$other}");
        next;
      }
      my $free = 0;
      $free++ while $current{"$key$free"} || $taken{"$key$free"};
      $index = "$key$free";
      reason("'$value' is missing");
    }
    $taken{$index} = 1;
    $set{$index} = $value;
  }
  for my $index (grep { !$taken{$_} } @indexes) {
    next if !$given{"$key $current{$index}{id}"};
    reason("$index is '$now{$index}', and no longer wanted");
    $delete{$index} = 1;
  }
  return;
}

# --- single options, and the person's own text below the mark --------------------------------------------------------

sub options {
  my $options = $wanted->{options} // {};
  for my $name (sort keys %$options) {
    $name =~ /^[a-z]+$/ or die "not an option: $name\n";
    $owned{"option $name"} = 1;
    my $current = $now{$name} // '';
    next if $current eq $options->{$name};
    reason("$name is '$current', wanted '$options->{$name}'");
    $set{$name} = $options->{$name};
  }
  for my $item (sort keys %given) {
    my ($name) = $item =~ /^option (.*)/ or next;
    next if exists $options->{$name} || !exists $now{$name};
    reason("$name is '$now{$name}', and no longer wanted");
    $delete{$name} = 1;
  }
  return;
}

sub description {
  my $text = $wanted->{description};
  return if !defined $text && !$given{description};
  my $current = $now{description} // '';
  $current =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ge;
  my ($mark, $below) = split /\n/, $current, 2;
  for ($below, $text) { $_ //= ''; s/\n+\z// }
  $owned{description} = 1;
  return if $below eq $text;
  reason("the description is not as configured");
  $set{description} = $text eq '' ? "$mark\n" : "$mark\n$text\n";
  return;
}

# --- raw lines, for which Proxmox VE has no call ---------------------------------------------------------------------

sub raw_lines {
  my @list = map { "$_->[0]: $_->[1]" } @{ $wanted->{raw} // [] };
  my %ours = map { ("raw $_" => 1) } @list;
  my @next = grep { $given{"raw $_"} ? $ours{"raw $_"} : 1 } @raw;
  my %there = map { $_ => 1 } @next;
  push @next, grep { !$there{$_} } @list;
  @owned{ keys %ours } = (1) x keys %ours;
  # Ours in the order of the configuration, behind those of others.
  @next = ((grep { !$ours{"raw $_"} } @next), @list) if @list;
  my @missing = grep { my $line = $_; !grep { $_ eq $line } @raw } @next;
  my @gone = grep { my $line = $_; !grep { $_ eq $line } @next } @raw;
  reason("'$_' is missing") for @missing;
  reason("'$_' is no longer wanted") for @gone;
  my $changed = join("\n", @raw) ne join("\n", @next);
  reason('the order of raw lines is not as configured') if $changed && !@missing && !@gone;
  say_pair('raw-changed' => 1) if $changed;
  say_pair(raw => $_) for @next;
  return;
}
