/** The operator's first screen. */
export const BUNDLE_HELP = `A bundle is the text that hosts fetch: the public keys of the User CAs they shall trust.

Usage: pomerium-host-agent bundle COMMAND …

  create KEY…      make one, of .pub files; of a private key's file only the public half is taken
           --serial N          counts publications: a host never goes back to a lower one
           --valid-for 30d     or --expires TIME; refused by hosts after that
           --issued TIME       instead of now
           --output FILE       instead of standard output
  sign [BUNDLE]    sign it, in place of any signature it has
           --key FILE          a private key, or the .pub of one that ssh-agent holds
           --output FILE       instead of standard output
  verify [BUNDLE]  judge it as a host would that has seen none yet
           --signers FILE      who may sign, as in trust.signers_file
  show [BUNDLE]    say what is in it
  diff OLD NEW     say what the second changes, and whether a host with the first takes it
  serve FILE       hand it to the hosts, and follow the file; a bad one never replaces a good one
           --listen ADDRESS:PORT      0.0.0.0:8443 with TLS, else 127.0.0.1:8080
           --tls-cert FILE --tls-key FILE
           --token-file FILE          hosts must show this token (source.token_file)
  notify [HOST]…   tell hosts that there is something new, and wait until each has it
           --hosts FILE               one host, host:port or URL a line; - is standard input
           --secret-file FILE         what the hosts have as webhook.secret_file
           --bundle FILE              they shall trust exactly this
           --timeout 2m --concurrency 32 --ca-file FILE
  rotate           replace the User CA: old and new, switch Pomerium, new alone; call it until done
           --new KEY.pub --bundle FILE --hosts FILE --secret-file FILE   to begin
           --sign-key KEY             where hosts want it signed: a private key, or a .pub in ssh-agent
           --state FILE               how far it has come; pomerium-rotation.yaml
           --publish-command CMD      after the bundle is written: upload it, say
           --leave-behind HOST        go on without it
           --switched                 Pomerium signs with the new key
           --prove-command CMD        logs in, and prints what sshd logged; or --proved, your word
           --compromised              take the old key away at once, whatever that breaks

A BUNDLE is a file, an https URL, or standard input where none is named; a TIME is
2026-11-20T10:00:00Z. A URL may take --ca-file, --token-file and --json-pointer, as in the config.
--json for programs.

Exit codes: 0 done · 2 usage · 3 source unreachable · 4 bundle refused
9 not every host has converged · 10 diff found differences · 11 the next step is yours`
