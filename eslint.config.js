import { readdirSync } from 'node:fs';
import tseslint from 'typescript-eslint';

/**
 * Dependencies point one way (CONTRIBUTING.md has the picture). For each folder of src/, the folders that it may import from; lib/ is
 * open to all. A folder without a row fails the lint.
 */
const mayImport = {
  lib: [],
  core: [],
  wire: ['core', 'gen'],
  client: ['core', 'gen', 'wire'],
  backends: ['core', 'client'],
  layers: ['core'],
  replication: ['core'],
  integrity: ['core', 'replication'],
  watch: ['core', 'config', 'layers'],
  config: ['core', 'backends'],
  auth: ['core', 'config'],
  access: ['core', 'config', 'auth', 'layers'],
  observability: ['core', 'config'],
  notify: ['core', 'config'],
  net: ['core', 'config', 'auth'],
  frontends: ['core', 'gen', 'wire', 'watch'],
  server: [
    'core',
    'config',
    'backends',
    'layers',
    'replication',
    'integrity',
    'auth',
    'access',
    'observability',
    'net',
    'frontends',
    'watch',
    'notify',
  ],
  plugin: ['core', 'gen', 'config', 'backends', 'access', 'observability', 'frontends', 'server'],
  cli: ['core', 'config', 'auth', 'net', 'backends', 'layers', 'replication', 'integrity', 'notify'],
};

const folders = readdirSync('src', { withFileTypes: true }).filter((entry) => entry.isDirectory());

const directions = folders.map(({ name: from }) => ({
  files: [`src/${from}/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            // Paths that leave the folder, into one that has no place in its row.
            regex: `^(\\.\\./)+(?!(${[...mayImport[from], 'lib', from].join('|')})/)(${[
              ...Object.keys(mayImport),
              'gen',
              'main',
            ]
              .filter((to) => to !== from)
              .join('|')})(/|\\.js)`,
            message: `src/${from} may import ${[...mayImport[from], 'lib'].join(', ')} only: dependencies point one way.`,
          },
        ],
      },
    ],
  },
}));

const syntax = [
  { selector: 'TSEnumDeclaration', message: 'Use a const array or object and a union type.' },
  { selector: "MemberExpression[property.name='only']", message: 'A test that runs alone hides the others.' },
];

export default tseslint.config(
  { ignores: ['dist/', 'gen/', 'node_modules/'] },
  ...tseslint.configs.strict,
  ...tseslint.configs.stylistic,
  {
    rules: {
      'no-console': 'error',
      eqeqeq: 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
      'no-restricted-syntax': ['error', ...syntax],
    },
  },
  {
    // Private fields of dependencies and of Node. What has no other way is in these two files, with its reason.
    files: ['src/**/*.ts'],
    ignores: ['src/frontends/grpc/http2-connections.ts', 'src/backends/sftp/ssh2-internals.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        ...syntax,
        ...[
          'MemberExpression[computed=false][property.name=/^_/]',
          'ObjectPattern > Property[key.name=/^_/]',
          'CallExpression[callee.object.name="Reflect"][callee.property.name=/^(get|set)$/]',
        ].map((selector) => ({ selector, message: 'A private field may change with any update: use the public API.' })),
      ],
    },
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/main.ts'],
    rules: {
      'no-restricted-globals': ['error', { name: 'process', message: 'Only src/main.ts touches the process.' }],
    },
  },
  {
    files: ['src/**/*.ts', 'test/**/*.ts'],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
    },
  },
  { files: ['test/**/*.ts'], rules: { '@typescript-eslint/no-unused-expressions': 'off' } },
  ...directions,
  {
    files: ['*.js', '**/*.cjs'],
    rules: { 'no-restricted-exports': 'off', '@typescript-eslint/no-require-imports': 'off' },
  },
);
