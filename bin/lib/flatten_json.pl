# Turns the JSON document on standard input into NUL-separated pairs: a JSON pointer and its value, objects and lists
# as JSON text, and their size and keys under "size:" and "keys:". Missing parameters get the default of the manifest
# named by the argument. The text of a syntax error is withheld: it could quote a secret.
use JSON::PP;
use strict;
use warnings;
my $json = JSON::PP->new->utf8->canonical->allow_nonref;
local $/;
my $document = eval { $json->decode(scalar <STDIN>) };
ref $document eq "HASH" or die "standard input is not a JSON object\n";
if (defined $ARGV[0] && open my $file, "<:raw", $ARGV[0]) {
  my $declared = $json->decode(scalar <$file>)->{parameters}{properties} // {};
  for my $name (keys %$declared) {
    next if !exists $declared->{$name}{default} || exists $document->{parameters}{$name};
    $document->{parameters}{$name} = $declared->{$name}{default};
  }
}
sub emit {
  my ($pointer, $value) = @_;
  return if !defined $value;
  my $text = ref $value eq "HASH" || ref $value eq "ARRAY" ? $json->encode($value)
    : JSON::PP::is_bool($value) ? ($value ? "true" : "false") : "$value";
  utf8::encode($text) if !ref $value;
  die "a text holds a NUL character\n" if $text =~ /\0/;
  print $pointer, "\0", $text, "\0";
  my @keys = ref $value eq "HASH" ? sort keys %$value : ref $value eq "ARRAY" ? 0 .. $#$value : ();
  if (ref $value eq "HASH" || ref $value eq "ARRAY") {
    my $names = join "\n", @keys;
    utf8::encode($names);
    print "size:$pointer\0", scalar @keys, "\0keys:$pointer\0", $names, "\0";
  }
  for my $key (@keys) {
    my $name = $key =~ s/~/~0/gr =~ s{/}{~1}gr;
    utf8::encode($name);
    emit("$pointer/$name", ref $value eq "HASH" ? $value->{$key} : $value->[$key]);
  }
}
emit("", $document);
