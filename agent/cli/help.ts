/** The first screen: what there is, and how it is used. */
export const HELP = `pomerium-host-agent keeps this host's sshd trusting the Pomerium User CA keys.

Usage: pomerium-host-agent COMMAND [--config FILE] [--root DIR] [--json]

  apply      fetch the CA keys, put them in force, prove it
  plan       say what apply would do; changes nothing
  status     look at this host, and say whether all is well
  remove     make this host what it was before
  configure  put an edited config file in force: services, timer, webhook
  bundle     for the operator: make, sign, publish; see bundle --help

For init, not for people:

  run        look at the source and leave; with --resident: stay, and follow it
  provision  serve run's requests, as root
  repair     put the held keys in force again; asks no source

  --config FILE   instead of /etc/pomerium/host-agent.yaml
  --root DIR      work on the tree under DIR: an image, a sandbox
  --json          for programs
  --version       print the version

Every setting is also an environment variable: POMERIUM_HOST_AGENT_SOURCE_URL is
source.url.

Exit codes: 0 converged · 2 usage or config · 3 source unreachable, keys kept
4 bundle refused · 5 host refused · 6 rolled back · 7 rollback failed
8 status: not well · 10 plan has changes
`
