# A cache of one's own behind ASSET_ORIGIN and MEDIA_ORIGIN (docs/cdn.md).
# To be edited: the origin (frontend_proxy) and the shop's host. TLS ends before Varnish.
vcl 4.1;

backend shop {
    .host = "127.0.0.1";
    .port = "3000";
}

sub vcl_recv {
    if (req.method != "GET" && req.method != "HEAD") {
        return (synth(405));
    }
    # Whatever is asked for in another way is nothing that a page asks for, and would only fill the cache.
    if (req.url !~ "^/(static|media)/[^?]*$") {
        return (synth(404));
    }
    set req.http.Host = "shop.example";
    set req.http.X-Forwarded-Proto = "https"; # believed from FRONTEND_TRUSTED_PROXIES alone
    unset req.http.Cookie;
    unset req.http.Authorization;
    return (hash);
}

sub vcl_backend_response {
    # How long is said by the origin: a year where the name holds the content's digest, and nothing else is kept.
    if (beresp.status != 200 || beresp.http.Cache-Control !~ "immutable") {
        set beresp.ttl = 0s;
        set beresp.grace = 0s;
        set beresp.uncacheable = true;
    }
}

sub vcl_deliver {
    if (obj.hits > 0) {
        set resp.http.X-Cache = "HIT";
    } else {
        set resp.http.X-Cache = "MISS";
    }
}
