# Runs steps on the node: those of one group one after the other, groups side by side. Core Perl only.
# Standard input, behind __END__: {"parallel": 8, "groups": [{"steps": [{"id": "…", "command": "…", "input": "…"}]}]}
# Standard output: one JSON line {"id", "code", "stdout", "stderr"} for each step, in the order in which they end.
use strict;
use warnings;
use Fcntl qw(:flock);
use File::Temp qw(tempfile);
use JSON::PP;

my $json = JSON::PP->new->utf8->canonical;
my $job  = $json->decode(do { local $/; <DATA> });
my $lock;
$| = 1;

# An open file without a name.
sub scratch {
    my ($handle, $path) = tempfile(UNLINK => 0);
    unlink $path;
    return $handle;
}

sub run_step {
    my ($step) = @_;
    my ($in, $out, $err) = (scratch(), scratch(), scratch());
    my $input = $step->{input} // '';
    utf8::encode($input);
    print {$in} $input;
    $in->flush;
    seek $in, 0, 0;
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        open STDIN,  '<&', $in  or die;
        open STDOUT, '>&', $out or die;
        open STDERR, '>&', $err or die;
        exec '/bin/sh', '-c', $step->{command} or exit 127;
    }
    waitpid $pid, 0;
    my $code = $? & 127 ? 128 + ($? & 127) : $? >> 8;
    my @texts = map { seek $_, 0, 0; local $/; my $text = <$_> // ''; utf8::decode($text); $text } $out, $err;
    my $line = $json->encode({ id => $step->{id}, code => $code, stdout => $texts[0], stderr => $texts[1] });
    flock $lock, LOCK_EX;
    print "$line\n";
    flock $lock, LOCK_UN;
    return;
}

my $shared = scratch();
my %running;
for my $group (@{ $job->{groups} }) {
    if (keys %running >= $job->{parallel}) {
        my $done = wait;
        delete $running{$done};
    }
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        # A lock of its own: one that is inherited would be shared.
        open $lock, '>>', '/proc/self/fd/' . fileno $shared or die "lock: $!";
        run_step($_) for @{ $group->{steps} };
        exit 0;
    }
    $running{$pid} = 1;
}
1 while wait != -1;
