/** Files and folders that a user drops or chooses. */

/** Names that never belong to an image. An image of DICOM often has no ending at all. */
const OTHERS =
  /^(\..*|dicomdir|thumbs\.db|desktop\.ini)$|\.(txt|csv|tsv|json|jsonl|xml|html?|md|pdf|docx?|xlsx?|zip|gz|7z|rar|tar|py|js|css|toml|ya?ml|log|sqlite|db|parquet|npy|npz|onnx|exe|mp4|avi|mov)$/i;

/**
 * Tells images from other files by their names.
 *
 * @param {File[]} files
 * @returns {{images: File[], others: File[]}}
 */
export function sorted(files) {
  const inOrder = [...files].sort((a, b) => fullName(a).localeCompare(fullName(b), "en", { numeric: true }));
  return {
    images: inOrder.filter(({ name }) => !OTHERS.test(name)),
    others: inOrder.filter(({ name }) => OTHERS.test(name)),
  };
}

/** The name of a file, with its folder if one was chosen. @param {File} file */
export function fullName(file) {
  return file.webkitRelativePath || file.name;
}

/**
 * Returns all files of a drop, those in folders too.
 *
 * @param {DataTransfer} data
 * @returns {Promise<File[]>}
 */
export async function dropped(data) {
  // All must be asked for before the first wait: the drop is over then.
  const found = [...data.items].map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile());
  const lists = await Promise.all(found.map((each) => (each instanceof File ? [each] : filesOf(each))));
  return lists.flat();
}

/**
 * @param {FileSystemEntry | null} entry
 * @returns {Promise<File[]>}
 */
async function filesOf(entry) {
  if (entry?.isFile) {
    const file = /** @type {FileSystemFileEntry} */ (entry);
    return new Promise((resolve, reject) => file.file((found) => resolve([found]), reject));
  }
  if (!entry?.isDirectory) return [];
  const reader = /** @type {FileSystemDirectoryEntry} */ (entry).createReader();
  /** @type {File[]} */
  const files = [];
  for (;;) {
    // A browser gives a folder in parts.
    const part = await new Promise(
      (/** @type {(entries: FileSystemEntry[]) => void} */ resolve, reject) =>
        reader.readEntries(resolve, reject),
    );
    if (!part.length) return files;
    files.push(...(await Promise.all(part.map(filesOf))).flat());
  }
}
