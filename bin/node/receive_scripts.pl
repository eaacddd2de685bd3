# Runs on the node, fed on standard input: `perl - VERB`, with a JSON document behind __DATA__.
#   create  make the stack's directory         remove  take it away
#   receive unpack one version of a script     drop    take that version away, unless a container still needs it
# One session, all or nothing: a version appears under its name only when it is complete.
use strict;
use warnings;
use JSON::PP;
use File::Path qw(make_path remove_tree);
use File::Basename qw(dirname);

my $verb = shift @ARGV // '';
my $input = JSON::PP->new->utf8->decode(join '', <DATA>);
my $stack_directory = $input->{stackDirectory};
$stack_directory =~ m{^/var/lib/phoenix/[A-Za-z0-9][A-Za-z0-9_.-]*$} or die "not a stack directory: $stack_directory\n";

if ($verb eq 'create') {
  make_path("$stack_directory/scripts", "$stack_directory/generations", { mode => 0700 });
} elsif ($verb eq 'remove') {
  remove_tree($stack_directory);
  rmdir dirname($stack_directory);    # stays when another stack lives there
} elsif ($verb eq 'receive') {
  my $target = version_directory();
  exit 0 if -d $target;
  my $staging = "$target.$$";
  for my $name (sort keys %{ $input->{files} }) {
    die "not a relative path: $name\n" if $name =~ m{^/} or $name =~ m{\.\.};
    my $path = "$staging/$name";
    make_path(dirname($path), { mode => 0700 });
    open my $file, '>:raw', $path or die "$path: $!\n";
    print {$file} encode_text($input->{files}{$name}{text});
    close $file or die "$path: $!\n";
    chmod oct($input->{files}{$name}{mode}), $path or die "$path: $!\n";
  }
  rename $staging, $target or (-d $target and remove_tree($staging)) or die "$target: $!\n";
} elsif ($verb eq 'drop') {
  my $target = version_directory();
  exit 0 if needed_by_a_generation();
  remove_tree($target);
} else {
  die "unknown verb '$verb'\n";
}

sub version_directory {
  $input->{digest} =~ m{^[0-9a-f]{16}$} or die "not a digest: $input->{digest}\n";
  return "$stack_directory/scripts/$input->{digest}";
}

sub encode_text {
  my ($text) = @_;
  utf8::encode($text);
  return $text;
}

# A container made from an older template is checked with the scripts of its own generation.
sub needed_by_a_generation {
  for my $record (glob "$stack_directory/generations/*.json") {
    open my $file, '<:raw', $record or next;
    local $/;
    return 1 if index(<$file>, "/scripts/$input->{digest}/") >= 0;
  }
  return 0;
}

__DATA__
