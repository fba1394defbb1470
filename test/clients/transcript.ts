/** What each example client prints, whatever its language. */
export const transcript =
  /^listed (\d+) packfiles\nread 16 bytes: _KLOSET_\nwrote (\d+) bytes, created: true\nrefused: not allowed to delete packfiles: .* needs full.*\n$/;
