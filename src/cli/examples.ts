/** Command lines, without the program's name, and what they do. */
export const examples: readonly { readonly call: string; readonly what: string }[] = [
  { call: 'serve --sample', what: 'a store to try things out; then: curl localhost:9876/resources/states' },
  { call: 'serve /srv/kloset', what: 'read-only, reachable from this machine only' },
  {
    call: 'serve /srv/kloset --allow-write',
    what: 'add backups, but destroy nothing: plakar at http://localhost:9876 backup /etc',
  },
  {
    call: 'serve /srv/kloset --listen :9876 --grpc-listen off',
    what: 'read-only, over HTTP only, for everyone who can reach this machine',
  },
  {
    call: 'serve /srv/kloset --listen unix:/run/kloset/admin.sock --grpc-listen off --allow-delete',
    what: 'maintenance through a unix socket',
  },
  {
    call: 'serve sftp://backup@nas.example.org/srv/kloset --allow-write',
    what: 'a store on an SSH server, with your keys, known_hosts and ~/.ssh/config',
  },
  {
    call: 'serve s3://s3.eu-central-1.amazonaws.com/backups/kloset --allow-write',
    what: 'a store in S3, with the credentials of the environment or ~/.aws',
  },
  {
    call: 'serve --config /etc/kloset-gateway/config.yaml',
    what: 'several stores and principals',
  },
  {
    call: 'token create web-1 --access blue=append --config /etc/kloset-gateway/config.yaml',
    what: 'a token for web-1; its SHA-256 is added to the file',
  },
  {
    call: 'restore-states /srv/kloset --as-of 2026-11-01T00:00Z',
    what: 'what it takes to undo all removals and deletes since then; --apply does it',
  },
  {
    call: 'copy /srv/kloset s3://s3.eu-central-1.amazonaws.com/backups/kloset --create',
    what: 'a second copy elsewhere; the same again copies what is new',
  },
];
