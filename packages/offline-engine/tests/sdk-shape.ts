import { readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { type Properties, type Property, type Resource, type Shape, simple, sorted } from "./shape.ts";

/** Reads a resource from an npm SDK's own sources: types from the .d.ts, token, secrets and defaults from the .js. */
export function resourceOfSdk(sdk: string, module: string, name: string): Resource {
  const reader = new Reader(sdk);
  const script = readFileSync(join(sdk, `${module}.js`), "utf8");
  const token = /__pulumiType = ['"](.*?)['"]/.exec(script)?.[1];
  if (!token) throw new Error(`${module}.js has no token`);
  const declarations = parse(join(sdk, `${module}.d.ts`));
  return {
    // A provider's token in the SDK is the bare package name.
    token: token.includes(":") ? token : `pulumi:providers:${token}`,
    inputs: reader.members(find(declarations, `${name}Args`), "input"),
    outputs: reader.members(find(declarations, name), "output"),
    secretInputs: sorted(
      [...script.matchAll(/resourceInputs\["(\w+)"\] = args\?\.\w+ \? pulumi\.secret\(/g)].map(
        (match) => match[1] ?? "",
      ),
    ),
    secretOutputs: sorted(listIn(script, "additionalSecretOutputs")),
    defaults: reader.defaults(script),
  };
}

/** Tokens of all resources of an SDK, as its index files register them. */
export function tokensOfSdk(scripts: Iterable<string>): string[] {
  const tokens = [...scripts].flatMap((script) =>
    [...script.matchAll(/__pulumiType = ['"](\w+:.*?)['"]/g)].map((match) => match[1] ?? ""),
  );
  return sorted(tokens);
}

/** The property paths that the SDK itself marks as replacing the resource. */
export function replaceOnChanges(sdk: string, module: string): string[] {
  return listIn(readFileSync(join(sdk, `${module}.js`), "utf8"), "replaceOnChanges");
}

function listIn(script: string, name: string): string[] {
  const list = new RegExp(`\\{ ${name}: (\\[.*?\\]) \\};`).exec(script)?.[1];
  return list ? (JSON.parse(list) as string[]) : [];
}

function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true);
}

type Declaration = ts.ClassDeclaration | ts.InterfaceDeclaration | ts.VariableDeclaration;

/** Finds a declaration by its name, or by its path through namespaces. */
function find(where: ts.Node, path: string): Declaration {
  const [first, ...rest] = path.split(".");
  let found: Declaration | ts.ModuleDeclaration | undefined;
  const visit = (node: ts.Node): void => {
    if (found) return;
    const named =
      ts.isClassDeclaration(node) ||
      ts.isInterfaceDeclaration(node) ||
      ts.isVariableDeclaration(node) ||
      ts.isModuleDeclaration(node);
    if (named && node.name?.getText() === first) found = node;
    else if (!ts.isClassDeclaration(node) && !ts.isInterfaceDeclaration(node)) ts.forEachChild(node, visit);
  };
  ts.forEachChild(where, visit);
  if (!found) throw new Error(`${where.getSourceFile().fileName} has no ${path}`);
  if (ts.isModuleDeclaration(found)) return find(found, rest.join("."));
  return found;
}

type Side = "input" | "output";

class Reader {
  readonly sdk: string;
  private readonly reached = new Set<string>();

  constructor(sdk: string) {
    this.sdk = sdk;
  }

  members(declaration: Declaration, side: Side): Properties {
    if (ts.isVariableDeclaration(declaration)) throw new Error(`${declaration.getText()} is not a type`);
    const properties: { [name: string]: Property } = {};
    for (const member of declaration.members) {
      const isProperty = ts.isPropertySignature(member) || ts.isPropertyDeclaration(member);
      const isStatic =
        ts.canHaveModifiers(member) &&
        ts.getModifiers(member)?.some((m) => m.kind === ts.SyntaxKind.StaticKeyword);
      if (!isProperty || isStatic || !member.type) continue;
      const { shape, optional } = this.read(member.type, side);
      properties[member.name.getText()] = { type: shape, required: !optional && !member.questionToken };
    }
    return properties;
  }

  /** The type without pulumi.Input and the like, and whether it may be left out. */
  private read(type: ts.TypeNode, side: Side): { shape: Shape; optional: boolean } {
    if (ts.isParenthesizedTypeNode(type)) return this.read(type.type, side);
    if (ts.isUnionTypeNode(type)) {
      const parts = type.types.filter((part) => part.kind !== ts.SyntaxKind.UndefinedKeyword);
      const optional = parts.length < type.types.length;
      const [only, ...more] = parts;
      if (only && more.length === 0) return { ...this.read(only, side), optional };
      const names = parts.map((part) => part.getText()).join("|");
      if (names === "pulumi.asset.Asset|pulumi.asset.Archive")
        return { shape: simple("asset|archive"), optional };
      throw new Error(`a union that no resource in use has: ${type.getText()}`);
    }
    if (ts.isTypeReferenceNode(type) && /^pulumi\.(Input|Output)$/.test(type.typeName.getText())) {
      const [inner] = type.typeArguments ?? [];
      if (inner) return this.read(inner, side);
    }
    return { shape: this.shape(type, side), optional: false };
  }

  private shape(type: ts.TypeNode, side: Side): Shape {
    if (ts.isArrayTypeNode(type)) return { kind: "list", of: this.read(type.elementType, side).shape };
    if (ts.isTypeLiteralNode(type)) {
      const [member] = type.members;
      if (member && ts.isIndexSignatureDeclaration(member))
        return { kind: "map", of: this.read(member.type, side).shape };
    }
    if (!ts.isTypeReferenceNode(type)) return simple(type.getText());

    const path = type.typeName.getText();
    const wellKnown = /^pulumi\.asset\.(\w+)$/.exec(path)?.[1];
    if (wellKnown) return simple(wellKnown.toLowerCase());
    const [space = "", ...names] = path.split(".");
    const name = names.join(".");
    if (space === "enums") return this.enumeration(names);
    this.reached.add(`${name}${space === "inputs" ? "" : ":output"}`);
    const file = join(this.sdk, "types", space === "inputs" ? "input.d.ts" : "output.d.ts");
    return { kind: "object", properties: this.members(find(parse(file), name), side) };
  }

  private enumeration(names: string[]): Shape {
    const file = join(this.sdk, "types", "enums", ...names.slice(0, -1), "index.d.ts");
    const declaration = find(parse(file), names.at(-1) ?? "");
    const values = [...declaration.getText().matchAll(/readonly \w+: "(.*?)"/g)].map(
      (match) => match[1] ?? "",
    );
    return { kind: "enum", values: sorted(values) };
  }

  /** Defaults that the SDK fills into object inputs before it sends them. */
  defaults(script: string): { [path: string]: string } {
    const all: { [path: string]: string } = {};
    if (!script.includes("ProvideDefaults")) return all;
    const types = readFileSync(join(this.sdk, "types", "input.js"), "utf8");
    for (const name of this.reached) {
      if (name.endsWith(":output")) continue;
      const type = name.split(".").at(-1) ?? "";
      const start = `function ${type.charAt(0).toLowerCase()}${type.slice(1)}ProvideDefaults(val) {`;
      const body = types.split(start)[1]?.split("};")[0] ?? "";
      for (const [, property, value] of body.matchAll(/(\w+): \(val\.\w+\) \?\? (.*?),\n/g)) {
        all[`${type.replace(/Args$/, "")}.${property}`] = value ?? "";
      }
    }
    return all;
  }
}
