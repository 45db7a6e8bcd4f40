# shellcheck shell=sh
# Whether a configuration that Kong has taken works, by what requests without a token get. Sourced after environment.sh.
#
# Kong takes Lua that compiles and fails once it runs, a plugin that never runs, and a file without a route, all without a word. So each route
# that can be asked by GET is asked once, without a token, and so is a path that none has. Perl, as in configuration.sh.
# shellcheck disable=SC2154 # variables of configuration.sh

# answers: `routes NUMBER -`, of all routes, `functions NUMBER -`, of what takes from requests what clients say of who they are (1 where no
# route wants a token), `replaced 0 PLUGIN` where a route or service has a pre-function or post-function of its own, and a line of
# KIND STATUS PATH for each path that was asked. KIND is `token` where token-validator wants one, `open` elsewhere, `none` of the path without
# a route, and `unasked` of a route without a token that takes no plain GET, by its name; STATUS is 0 where no answer came within five seconds.
# Fails where Kong's port cannot be asked.
answers() {
  perl -MIO::Socket::UNIX -MIO::Socket::IP -MIO::Select -e '
    use strict;
    alarm 60;
    my ($admin, $listen) = @ARGV;

    sub said { # of the Admin API
      my $kong = IO::Socket::UNIX->new(Peer => $admin) or exit 7;
      print $kong "GET $_[0]?size=1000 HTTP/1.0\r\nHost: localhost\r\n\r\n";
      $kong->flush;
      local $/;
      my $answer = <$kong>;
      $answer =~ s/^.*?\r\n\r\n//s or exit 7;
      return @{read_value(\$answer)->{data}};
    }

    sub read_value { # of the JSON that Kong writes, from pos() on
      my $json = $_[0];
      if ($$json =~ /\G\s*\{\s*/gc) {
        my %fields;
        while ($$json =~ /\G,?\s*"((?:[^"\\]++|\\.)*+)"\s*:/gc) { my $name = $1; $fields{$name} = read_value($json); }
        $$json =~ /\G\s*\}\s*/gc or die "not JSON";
        return \%fields;
      }
      if ($$json =~ /\G\s*\[\s*/gc) {
        my @entries;
        until ($$json =~ /\G\s*\]\s*/gc) { push @entries, read_value($json); $$json =~ /\G\s*,/gc; }
        return \@entries;
      }
      if ($$json =~ /\G\s*"((?:[^"\\]++|\\.)*+)"\s*/gc) { my $text = $1; $text =~ s/\\(.)/$1/g; return $text; }
      $$json =~ /\G\s*([\w.+-]+)\s*/gc or die "not JSON";
      return $1 =~ /^(?:null|false|0)$/ ? undef : $1;
    }

    # The first port that speaks plain HTTP.
    my ($port) = grep { !/ (?:ssl|proxy_protocol)\b/ } map { "$_ " } split /,\s*/, $listen;
    my ($host, $number) = ($port // "") =~ /^\s*(?:\[?([^\s\]]*)\]?:)?(\d+)\s/ or exit 7;
    $host = "127.0.0.1" if !defined $host || $host eq "0.0.0.0";
    $host = "::1" if $host eq "::";

    my %needs; # by the id of a route or a service, or everywhere: whether a token is wanted
    my $functions = 0;
    my %replaced; # functions that Kong runs somewhere in place of the one for every request
    for my $plugin (said("/plugins")) {
      my $everywhere = !grep { $plugin->{$_} } "route", "service", "consumer";
      $replaced{$plugin->{name}} = 1 if $plugin->{name} =~ /^(?:pre|post)-function$/ && $plugin->{enabled} && !$everywhere;
      $functions++ if $plugin->{name} eq "pre-function" && $plugin->{enabled} && $everywhere && @{$plugin->{config}{rewrite} || []};
      next if $plugin->{name} ne "token-validator" || !$plugin->{enabled};
      $needs{($plugin->{route} || $plugin->{service} || {})->{id} || ""} = !$plugin->{config}{optional};
    }
    $functions = 1 if !%needs;
    my %kind = ("/no-route-has-this-path" => "none");
    my @routes = said("/routes");
    my %unasked; # routes without a token that no request of this trial would take
    my @open; # regular expressions of routes without a token, which come before plain paths
    for my $route (@routes) {
      my ($needed) = grep { defined } @needs{$route->{id}, ($route->{service} || {})->{id} || "", ""};
      if ((grep { $route->{$_} } "headers", "hosts", "snis", "sources", "destinations")
          || @{$route->{methods} || []} && !(grep { $_ eq "GET" } @{$route->{methods}})
          || !grep { $_ eq "http" } @{$route->{protocols}}) {
        my $name = $route->{name} || join(",", @{$route->{paths} || []}) || $route->{id};
        $unasked{$name =~ s/\s/_/gr} = 1 if !$needed;
        next;
      }
      for (@{$route->{paths} || []}) {
        push @open, "^(?:" . substr($_, 1) . ")" if !$needed && /^~/;
        my ($path) = m{^(?:~\^?)?(/[\w/-]*)\$?$} or next; # a regular expression is asked by the text that it is
        $kind{$path} = "open" if !$needed; # of several routes of one path any may take the request
        $kind{$path} //= "token";
      }
    }

    for my $path (grep { $kind{$_} eq "token" } keys %kind) {
      $kind{$path} = "open" if grep { eval { $path =~ /$_/ } } @open;
    }

    my (%path, %status);
    my $waiting = IO::Select->new;
    for my $path (sort keys %kind) {
      my $socket = IO::Socket::IP->new(PeerHost => $host, PeerPort => $number, Timeout => 5) or exit 7;
      print $socket "GET $path HTTP/1.1\r\nHost: nobody.invalid\r\nUser-Agent: gatehouse-trial\r\nConnection: close\r\n\r\n";
      $socket->flush;
      $path{$socket} = $path;
      $waiting->add($socket);
    }
    my $end = time + 5;
    while ($waiting->count && (my $left = $end - time) > 0) {
      for my $socket ($waiting->can_read($left)) {
        my $read = sysread $socket, my $piece, 65536;
        $status{$path{$socket}} //= $1 if $read && $piece =~ m{^HTTP/1\.\d (\d+) };
        $waiting->remove($socket) if !$read;
      }
    }
    select undef, undef, undef, 0.2; # the log phase comes after the answer
    print "routes ", scalar @routes, " -\n";
    print "functions $functions -\n";
    print "replaced 0 $_\n" for sort keys %replaced;
    print "unasked 0 $_\n" for sort keys %unasked;
    print "$kind{$_} ", $status{$_} // 0, " $_\n" for sort keys %kind;
  ' "$KONG_CONTROL_DIR/admin.socket" "$KONG_PROXY_LISTEN"
}

# judged BEFORE AFTER FILE: what is wrong with the answers in the second file; nothing where all is well. Those in the first, which may be empty,
# are of the configuration before: a route that failed already says nothing of the new one. FILE is the rendered file that is tried.
judged() {
  if [ -s "$failure" ]; then located "$failure" "$3" | sed 1d; fi
  awk '
    FILENAME == ARGV[1] { before[$3] = $2; next }
    $1 == "routes" { if (!$2) print "it has no route: Kong takes it, and answers 404 to everything"; next }
    $1 == "functions" {
      if (!$2) print "token-validator is there, and no pre-function for every request, which takes X-User-Id and its kind from what clients send"
      next
    }
    $1 == "unasked" || $1 == "replaced" { next }
    $1 == "token" && $2 ~ /^[23]/ { print "GET " $3 ": " $2 " without a token, though its route has token-validator" }
    # An open route may hang at its upstream, and what is new may fail there: Kong is not to blame.
    ($2 == 500 || $2 == 0 && $1 != "open") && ($3 in before ? before[$3] != $2 && before[$3] != 0 : $1 != "open") && ++failed <= 5 {
      print "GET " $3 ": " ($2 ? $2 : "no answer") ($3 in before ? " (" before[$3] " before)" : "")
    }
    END {
      if (failed > 5) print "and " failed - 5 " more"
    }
  ' "$1" "$2"
}

# told BEFORE AFTER: the answers by number, each route that needed a token and needs none now, and each that is new and needs none.
told() {
  if [ ! -s "$2" ]; then
    echo "no route could be tried: there is no port of Kong that takes plain HTTP, or it did not answer"
    return
  fi
  awk '
    FILENAME == ARGV[1] { before[$3] = $1 " " $2; tried = 1; next }
    $1 == "routes" || $1 == "functions" { next }
    $1 == "replaced" {
      if (!($3 in before)) print "a " $3 " of one route or service: Kong runs it there in place of the one for every request, which looks at paths a second time and writes problem documents"
      next
    }
    $1 == "unasked" {
      if (tried && !($3 in before)) print "the route " $3 " needs no token of token-validator now, and was not asked: it takes no plain GET"
      next
    }
    $1 != "none" { count[$2]++ }
    tried && !($3 in before) && $1 == "open" { print "GET " $3 " is new, and needs no token of token-validator: it gets " ($2 ? $2 : "no answer") }
    before[$3] == "token 401" && $2 != 401 { print "GET " $3 " needed a token before; now it gets " ($2 ? $2 : "no answer") " without one" }
    before[$3] == "token 401" && $1 == "open" && $2 == 401 { print "GET " $3 " needed a token of token-validator before; now its service alone looks at one" }
    END {
      printf "tried without signing in:"
      for (status = 0; status < 600; status++) if (status in count) {
        printf "%s %s (%s)", comma, status ? status : "no answer", count[status]
        comma = ","
      }
      print ""
    }
  ' "$1" "$2"
}
