// ReDoc's menu ends with a logo that it loads from its maker's host. The page loads from this host only: the logo is left out.
(() => {
  "use strict";

  const image = HTMLImageElement.prototype;
  const { setAttribute } = image;
  const { get, set } = Object.getOwnPropertyDescriptor(image, "src");

  const isElsewhere = (address) => /^https?:/.test(address) && new URL(address).origin !== location.origin;

  // React sets the attribute, and then the property.
  image.setAttribute = function (name, value) {
    if (name === "src" && isElsewhere(value)) {
      this.hidden = true;
    } else {
      setAttribute.call(this, name, value);
    }
  };
  Object.defineProperty(image, "src", {
    configurable: true,
    enumerable: true,
    get,
    set(value) {
      if (!isElsewhere(value)) {
        set.call(this, value);
      }
    },
  });
})();
