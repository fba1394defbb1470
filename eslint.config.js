import tseslint from 'typescript-eslint';

/**
 * Dependencies point one way (CONTRIBUTING.md has the picture). For each layer, the folders of src/ that it may not import.
 */
const directions = {
  core: [
    'workers',
    'cli',
    'config',
    'auth',
    'net',
    'backends',
    'layers',
    'frontends',
    'client',
    'log',
    'gateway',
    'main',
  ],
  backends: ['workers', 'cli', 'config', 'auth', 'net', 'layers', 'frontends', 'gateway', 'main'],
  layers: ['workers', 'cli', 'config', 'auth', 'net', 'backends', 'frontends', 'client', 'gateway', 'main'],
  frontends: ['workers', 'cli', 'config', 'net', 'backends', 'layers', 'client', 'gateway', 'main'],
  client: ['workers', 'cli', 'config', 'auth', 'net', 'backends', 'layers', 'frontends', 'log', 'gateway', 'main'],
  config: ['workers', 'cli', 'auth', 'net', 'backends', 'layers', 'frontends', 'client', 'gateway', 'main'],
  cli: ['workers', 'backends', 'layers', 'frontends', 'client', 'main'],
  auth: ['workers', 'cli', 'net', 'backends', 'layers', 'frontends', 'client', 'gateway', 'main'],
  gateway: ['workers', 'cli', 'main'],
  workers: ['cli', 'auth', 'backends', 'layers', 'frontends', 'client', 'main'],
  net: ['workers', 'cli', 'backends', 'layers', 'frontends', 'client', 'gateway', 'main'],
};

const forbid = (from, folders) => ({
  files: [`src/${from}/**/*.ts`],
  rules: {
    'no-restricted-imports': [
      'error',
      {
        patterns: folders.map((to) => ({
          // There is a folder backends/gateway, too, which is another matter.
          group: to === 'gateway' ? ['../gateway/**', '../../gateway/**'] : [`**/${to}/**`, `**/${to}.js`],
          message: `src/${from} may not depend on src/${to}: dependencies point one way.`,
        })),
      },
    ],
  },
});

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
      'no-restricted-syntax': [
        'error',
        { selector: 'TSEnumDeclaration', message: 'Use a const array or object and a union type.' },
        { selector: "MemberExpression[property.name='only']", message: 'A test that runs alone hides the others.' },
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
  ...Object.entries(directions).map(([from, folders]) => forbid(from, folders)),
  {
    files: ['*.js', '**/*.cjs'],
    rules: { 'no-restricted-exports': 'off', '@typescript-eslint/no-require-imports': 'off' },
  },
);
