import * as Babel from "@babel/standalone";
import * as React from "react";
import * as Remotion from "remotion";

const MODULES = { react: React, remotion: Remotion };
const SCOPE = { ...React, ...Remotion, React, Remotion };
const NAMES = Object.keys(SCOPE).filter((name) => /^[A-Za-z_$][\w$]*$/.test(name) && name !== "default");

/** Whether the text is React source: it cannot do without these characters, and plain words can. */
export const isSource = (code) => /[{}();=<>]/.test(code);

/** Whether React can render it: a function, or what React.memo and React.forwardRef return. */
const isComponent = (item) => typeof item === "function" || Boolean(item?.$$typeof && !React.isValidElement(item));

const requireModule = (name) => {
  if (!Object.hasOwn(MODULES, name)) {
    throw new Error(`This site has no module "${name}": import from "react" or "remotion".`);
  }
  return MODULES[name];
};

const declaredNames = (statement) => {
  const declaration = statement.declaration ?? statement;
  if (declaration.type === "VariableDeclaration") {
    return declaration.declarations.map(({ id }) => id.name);
  }
  return declaration.id ? [declaration.id.name] : [];
};

/** A Babel plugin that stores in `found` the names of components, and whether the source is a bare body. */
const inspect = (found) => () => ({
  visitor: {
    Program(path) {
      for (const statement of path.node.body) {
        found.isBody ||= statement.type === "ReturnStatement";
        found.names.push(...declaredNames(statement).filter((name) => /^[A-Z]/.test(name ?? "")));
      }
    },
  },
});

/**
 * Compile React source and return its component.
 *
 * The source may be TypeScript with JSX, import from react and remotion, and export; without an
 * import, all names of both are in scope. The component is the default export, else the last
 * export, else the last capitalised name. A bare function body with `return` is a component too.
 *
 * Throws Babel's SyntaxError, and whatever the source itself throws while it is evaluated.
 */
export const compile = (source) => {
  const found = { isBody: false, names: [] };
  const { code } = Babel.transform(source, {
    filename: "code.tsx",
    sourceType: "module",
    parserOpts: { allowReturnOutsideFunction: true },
    presets: ["typescript", ["react", { runtime: "classic" }]],
    plugins: [inspect(found), "transform-modules-commonjs"],
  });
  const last = found.names.at(-1);
  const ending = last && !found.isBody ? `;return ${last};` : "";
  const run = new Function(...NAMES, "module", "exports", "require", `return (function () {${code}\n${ending}})();`);
  const evaluate = () => {
    const module = { exports: {} };
    const value = run(...NAMES.map((name) => SCOPE[name]), module, module.exports, requireModule);
    return { value, exports: module.exports };
  };
  if (found.isBody) {
    return () => evaluate().value;
  }
  const { value, exports } = evaluate();
  const component = exports.default ?? Object.values(exports).findLast(isComponent) ?? value;
  if (!isComponent(component)) {
    throw new Error("The code has no component: export one, for example `export const MyAnimation = () => …`.");
  }
  return component;
};
