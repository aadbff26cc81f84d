// ACL files and what they allow: run over the plugin, and over Mosquitto's own broker where it is installed.

/** Who asks to publish where, and whether that is allowed. */
export type AclTry = readonly [user: string | null, clientId: string, topic: string, allowed: boolean];

export const ACL_CASES: readonly { readonly name: string; readonly acl: string; readonly tries: readonly AclTry[] }[] =
  [
    {
      name: 'users have their own rules, and those in front are for clients without a name',
      acl: 'topic a\nuser tom\ntopic t\nuser bob\ntopic b\nuser tom\ntopic t2\n',
      tries: [
        [null, 'c', 'a', true],
        [null, 'c', 't', false],
        ['tom', 'c', 'a', false],
        ['tom', 'c', 't', true],
        ['tom', 'c', 't2', true],
        ['tom', 'c', 'b', false],
        ['bob', 'c', 'b', true],
        ['eve', 'c', 'a', false],
      ],
    },
    {
      name: 'a denial counts before any grant, wherever it stands',
      acl: 'user tom\ntopic x/#\ntopic deny x/1\ntopic deny y/#\ntopic y/1\n',
      tries: [
        ['tom', 'c', 'x/1', false],
        ['tom', 'c', 'x/2', true],
        ['tom', 'c', 'x', true],
        ['tom', 'c', 'y/1', false],
      ],
    },
    {
      name: 'the rules of the user come before the patterns',
      acl: 'user tom\ntopic x/1\npattern deny x/#\npattern write y/%c\n',
      tries: [
        ['tom', 'c', 'x/1', true],
        ['tom', 'c', 'x/2', false],
        ['bob', 'c', 'x/1', false],
        ['tom', 'c', 'y/c', true],
        ['bob', 'd', 'y/d', true],
        ['bob', 'd', 'y/c', false],
        [null, 'c', 'y/c', true],
      ],
    },
    {
      name: 'patterns are filled in with names that may hold several levels, and need the name they are about',
      acl: 'pattern z/%u/q\npattern write y/%c/+\n',
      tries: [
        ['u', 'c', 'z/u/q', true],
        ['a/b', 'c', 'z/a/b/q', true],
        ['a/b', 'c', 'z/a/q', false],
        [null, 'c', 'z//q', false],
        [null, 'c/d', 'y/c/d/e', true],
      ],
    },
    {
      name: 'names with wildcards are shut out by patterns only',
      acl: 'user a+b\ntopic x\nuser u\ntopic x\npattern z/%u/q\npattern y/%c\n',
      tries: [
        ['a+b', 'c', 'x', true],
        ['a+b', 'c', 'y/c', false],
        ['u', 'c#', 'x', true],
        ['u', 'c#', 'z/u/q', false],
        ['u', 'c', 'z/u/q', true],
      ],
    },
    {
      name: 'topics that start with $ need a filter that does',
      acl: 'topic write #\ntopic write $x/#\n',
      tries: [
        [null, 'c', 'a/b', true],
        [null, 'c', '$x/a', true],
        [null, 'c', '$y/a', false],
      ],
    },
    {
      name: 'blanks, line ends and words that look like access',
      acl: 'topic  write   a  \r\ntopic read\ntopic write b c\n topic write d\nuser a b  \ntopic write q\n',
      tries: [
        [null, 'c', 'a', true],
        [null, 'c', 'read', true],
        [null, 'c', 'b c', true],
        [null, 'c', 'b', false],
        [null, 'c', 'd', true],
        ['a b', 'c', 'q', true],
      ],
    },
  ];
