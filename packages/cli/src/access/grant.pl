# Makes, on the node and as root, the role, the user and the token of a stack. Core Perl only.
# Standard input, behind __END__: {"role", "user", "token", "privileges": […], "sometimes": […],
# "renew": false}; what the role has of "sometimes" it keeps.
# Standard output: one JSON line, {"done": […], "token": "USER!ID", "secret": "…"}; without a secret where the token is
# there and is not to be renewed, since Proxmox VE shows it only once.
use strict;
use warnings;
use JSON::PP;

my $json = JSON::PP->new->utf8->canonical;
my $job  = $json->decode(do { local $/; <DATA> });
my ($role, $user, $token) = @{$job}{qw(role user token)};
my @done;

# What a pveum command says as JSON; words go to it one by one, no shell reads them.
sub ask {
    my @words = ('pveum', @_, '--output-format', 'json');
    open my $out, '-|', @words or die "pveum cannot be run: $!\n";
    my $text = do { local $/; <$out> } // '';
    close $out or die join(' ', @words) . " failed\n";
    return $text =~ /\S/ ? JSON::PP->new->utf8->allow_nonref->decode($text) : undef;
}

sub order {
    my ($what, @words) = @_;
    open my $out, '-|', 'pveum', @words or die "pveum cannot be run: $!\n";
    1 while <$out>;
    close $out or die "pveum @words failed\n";
    push @done, $what if defined $what;
    return;
}

sub there { my ($list, $key, $name) = @_; return scalar grep { $_->{$key} eq $name } @{ $list // [] }; }

die "this takes root's rights\n" if $> != 0;
my ($now) = grep { $_->{roleid} eq $role } @{ ask('role', 'list') };
my %has = map { $_ => 1 } grep { length } split /[,; ]+/, $now ? $now->{privs} // '' : '';
my %wanted = map { $_ => 1 } @{ $job->{privileges} }, grep { $has{$_} } @{ $job->{sometimes} };
my $privileges = join ' ', sort keys %wanted;
if (!$now) {
    order("role $role made", 'role', 'add', $role, '--privs', $privileges);
}
elsif (join(' ', sort keys %has) ne $privileges) {
    order("role $role: privileges set", 'role', 'modify', $role, '--privs', $privileges);
}
if (!there(ask('user', 'list'), 'userid', $user)) {
    order("user $user made, without a password", 'user', 'add', $user, '--comment', 'Phoenix on Pulumi');
}
my $granted = grep { $_->{path} eq '/' && $_->{ugid} eq $user && $_->{roleid} eq $role } @{ ask('acl', 'list') };
order("role $role given to $user", 'acl', 'modify', '/', '--users', $user, '--roles', $role) if !$granted;

my $old = there(ask('user', 'token', 'list', $user), 'tokenid', $token);
order("old token $user!$token taken away", 'user', 'token', 'remove', $user, $token) if $old && $job->{renew};
my %answer = (token => "$user!$token");
if (!$old || $job->{renew}) {
    my $made = ask('user', 'token', 'add', $user, $token, '--privsep', '0', '--comment', 'Phoenix on Pulumi');
    push @done, "token $user!$token made";
    $answer{secret} = $made->{value};
}
print $json->encode({ %answer, done => \@done }), "\n";
