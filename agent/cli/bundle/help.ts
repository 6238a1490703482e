// For each command whose BUNDLE may come by URL.
const SOURCE = `A BUNDLE is a file, an https URL, or standard input where none is named.
For a URL:
  --ca-file FILE        PEM roots beside the system's own
  --token-file FILE     sent as a bearer token
  --json-pointer PATH   where in a JSON reply the bundle is`

const AS_JSON = '  --json                for programs'

/** The operator's first screen. */
export const BUNDLE_HELP = `A bundle is what hosts fetch: the public keys of the User CAs they shall trust.

Usage: pomerium-host-agent bundle COMMAND …

  create KEY…      make one of .pub files
  sign [BUNDLE]    sign it
  verify [BUNDLE]  judge it as a host would that has seen none yet
  show [BUNDLE]    say what is in it
  diff OLD NEW     say what changes, and whether a host takes it
  serve FILE       hand it to the hosts, and follow the file
  notify [HOST]…   tell hosts that there is something new, and wait for them
  rotate           replace the User CA; call it until done
  status [HOST]…   say which hosts trust it, without telling them anything
  new-secret FILE  make the secret of the hosts' webhook
  new-signer FILE  make a key that signs bundles, and the hosts' line for it

The flags of each: bundle COMMAND --help. A time is 2026-11-20T10:00:00Z.

Exit codes: 0 done · 2 usage · 3 source unreachable · 4 bundle refused
9 not every host has converged · 10 diff found differences
11 the next step is yours`

/** The screen of each of its commands. */
export const COMMAND_HELP: Readonly<Record<string, string>> = {
  create: `Makes a bundle of public keys. Of a private key's file the public half is taken.

Usage: pomerium-host-agent bundle create KEY… [FLAG]…

  --serial N            counts publications: no host goes back to a lower one
  --revoke KEY          a CA that is dead, whoever else trusts it; repeatable
  --valid-for 30d       then it expires: hosts that don't hold it refuse it
  --expires TIME        the same, as a time
  --issued TIME         instead of now
  -o, --output FILE     instead of standard output`,

  sign: `Signs a bundle, in place of any signature it has.

Usage: pomerium-host-agent bundle sign [BUNDLE] --key FILE [FLAG]…

  -k, --key FILE        a private key, or the .pub of one that ssh-agent holds
  -o, --output FILE     instead of standard output

${SOURCE}`,

  verify: `Judges a bundle as a host would that has seen none yet.

Usage: pomerium-host-agent bundle verify [BUNDLE] --signers FILE [FLAG]…

  --signers FILE        who may sign, as in trust.signers_file
${AS_JSON}

${SOURCE}`,

  show: `Says what is in a bundle: serial, times, who signed it, each key's fingerprint.

Usage: pomerium-host-agent bundle show [BUNDLE] [FLAG]…

${AS_JSON}

${SOURCE}`,

  diff: `Says what the second bundle changes, and whether a host with the first takes it.

Usage: pomerium-host-agent bundle diff OLD NEW [FLAG]…

${AS_JSON}

${SOURCE}

Exit codes: 0 the same · 10 differences · 4 a host would not take it`,

  serve: `Hands a bundle to the hosts, and follows its file. A file that is no bundle
never replaces one that is.

Usage: pomerium-host-agent bundle serve FILE [FLAG]…

  --listen ADDRESS:PORT 0.0.0.0:8443 with TLS, else 127.0.0.1:8080
  --tls-cert FILE       PEM; read anew at SIGHUP
  --tls-key FILE        PEM, without a passphrase
  --token-file FILE     hosts must show this token (source.token_file)`,

  notify: `Tells hosts that there is something new, and waits until each has it.

Usage: pomerium-host-agent bundle notify [HOST]… --secret-file FILE [FLAG]…

  --secret-file FILE    what the hosts have as webhook.secret_file
  --hosts FILE          one host, host:port or URL a line; - is standard input
  --bundle FILE         they shall trust exactly this
  --ca-file FILE        PEM roots beside the system's own
  --timeout 2m          how long to wait for them
  --concurrency 32      how many at once
${AS_JSON}

Exit codes: 0 every host has converged · 9 not every host`,

  rotate: `Replaces the User CA in the order that locks nobody out: both keys to the hosts,
switch Pomerium, prove a login, the new key alone. Call it until it is done.

Usage: pomerium-host-agent bundle rotate [FLAG]…

To begin:
  --new KEY.pub         the new User CA
  --bundle FILE         what is published now; replaced by the new one
  --hosts FILE          one host, host:port or URL a line; - is standard input
  --secret-file FILE    what the hosts have as webhook.secret_file
  --sign-key KEY        where hosts want it signed; as in bundle sign --key
  --publish-command CMD after the bundle is written: upload it, say
  --compromised         the old key is revoked at once, whatever that breaks

To go on:
  --leave-behind HOST   switch without it; it is not done until that has come
  --switched            Pomerium signs with the new key
  --prove-command CMD   logs in, and prints what sshd logged
  --proved              your word instead

  --state FILE          how far it has come; ./pomerium-rotation.yaml
  --ca-file FILE        PEM roots beside the system's own
  --timeout 2m          how long to wait for them
  --concurrency 32      how many at once
${AS_JSON}

Exit codes: 0 no host trusts the old key any more · 9 not every host has come
11 the next step is yours`,

  status: `Asks hosts what they trust, and how they are. They begin nothing by it.

Usage: pomerium-host-agent bundle status [HOST]… --secret-file FILE [FLAG]…

  --secret-file FILE    what the hosts have as webhook.secret_file
  --hosts FILE          one host, host:port or URL a line; - is standard input
  --bundle FILE         they shall trust exactly this; without, the newest that
                        one of them has
  --ca-file FILE        PEM roots beside the system's own
  --concurrency 32      how many at once
${AS_JSON}

Exit codes: 0 every host trusts it and is well · 9 not every host`,

  'new-secret': `Makes the secret of the hosts' webhook (whsec_…), in a file of mode 0600. It is
not shown, and a file that is there is never overwritten.

Usage: pomerium-host-agent bundle new-secret FILE`,

  'new-signer': `Makes an ed25519 key that signs bundles, by ssh-keygen, and prints the line by
which hosts know it (allowed_signers). What is there is never overwritten.

Usage: pomerium-host-agent bundle new-signer FILE [FLAG]…

  --name alice@laptop   whose key it is; by default you, on this machine
  --no-passphrase       for machines; else ssh-keygen asks for one`,
}
