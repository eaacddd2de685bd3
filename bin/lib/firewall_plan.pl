# How a guest's firewall differs from what is wanted: a pure function. Standard input: three JSON texts separated by NUL:
# parameters {enabled, rules[]}, the options and the rules as the API gives them. Printed, NUL-separated: reasons, each
# behind "reason", and for each wanted rule from the last to the first the words of `pvesh create`, behind "rule".
use JSON::PP;
use strict;
use warnings;

my ($wanted, $options, $rules) = map { JSON::PP->new->decode($_) } split /\0/, do { local $/; <STDIN> };
my @names = qw(type action iface source dest proto dport comment);
my $on = $options->{enable} // 0;
my $enable = $wanted->{enabled} ? 1 : 0;
print "reason\0the firewall is ", ($on ? 'on' : 'off'), ", wanted ", ($enable ? 'on' : 'off'), "\0" if $on != $enable;
my @now = map { text($_, $_->{enable} // 0) } sort { $a->{pos} <=> $b->{pos} } @$rules;
my @next = map { text($_, 1) } @{ $wanted->{rules} };
if (join("\n", @now) ne join("\n", @next)) {
  for my $text (@next) { print "reason\0rule '$text' is missing\0" if !grep { $_ eq $text } @now }
  for my $text (@now) { print "reason\0rule '$text' is not configured\0" if !grep { $_ eq $text } @next }
  print "reason\0the order of the rules is not as configured\0" if join("\n", sort @now) eq join("\n", sort @next);
  print "rules-changed\0", scalar(@now), "\0";
  for my $rule (reverse @{ $wanted->{rules} }) {
    my @words = map { ("--$_", $rule->{$_}) } grep { defined $rule->{$_} } @names;
    print "rule\0", join("\x1f", @words, '--enable', 1), "\0";
  }
}

sub text {
  my ($rule, $enabled) = @_;
  my @parts = map { "$_=$rule->{$_}" } grep { defined $rule->{$_} && $rule->{$_} ne '' && !/^(type|action)$/ } @names;
  s/\n//g for @parts;
  return join ' ', uc $rule->{type}, $rule->{action}, @parts, $enabled ? () : 'disabled';
}
