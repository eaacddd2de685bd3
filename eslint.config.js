import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

/** The program and the packages that serve it know nothing of each other; only the CLI may read the model. */
const forbid = (group, message) => ({
  "no-restricted-imports": ["error", { patterns: [{ group, message }] }],
});

export default defineConfig(
  { ignores: ["node_modules/**", ".phoenix/**", "model/generated/**", "coverage/**"] },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ["*.js"] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      // Numbers are at home in template strings here: vmids, ports, sizes.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      // A resource lives by being registered; nobody needs to hold it.
      "no-new": "off",
    },
  },
  {
    files: ["*.ts", "components/**/*.ts"],
    rules: forbid(["**/packages/**", "@phoenix/*"], "The program does not import what only serves it."),
  },
  {
    files: ["model/**/*.ts"],
    ignores: ["model/read-files.ts"],
    rules: forbid(
      [
        "@pulumi/*",
        "@muhlba91/*",
        "node:fs",
        "node:fs/*",
        "node:net",
        "node:http*",
        "**/packages/**",
        "**/components/**",
      ],
      "The model is pure: no Pulumi, no files, no network.",
    ),
  },
  {
    files: ["packages/*/src/**/*.ts", "packages/*/tests/**/*.ts"],
    ignores: ["packages/cli/**"],
    rules: forbid(
      ["**/components/**", "**/model/**", "../../../*.ts"],
      "A package does not import the program.",
    ),
  },
  {
    files: ["packages/cli/**/*.ts"],
    rules: forbid(
      ["**/components/**", "**/pve-lab/**", "**/offline-engine/**"],
      "Of the program, the CLI imports model/ only.",
    ),
  },
  {
    files: ["**/*.js"],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: { process: "readonly" } },
  },
);
