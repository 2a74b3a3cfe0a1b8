"""What a change touches and whether it may: asked in jobs before handing it in, by the receiver before committing."""

from pipelines.patch.changed import Base, Change, Changed, contents
from pipelines.patch.ci_files import ci_files, ci_setting
from pipelines.patch.examine import examine
from pipelines.patch.kinds import is_documentation
from pipelines.patch.lines import ChangeSize, compare, size_of
from pipelines.patch.name_clashes import FolderEntry, Folders, folders_of
from pipelines.patch.remarks import remarks

__all__ = [
    "Base",
    "Change",
    "ChangeSize",
    "Changed",
    "FolderEntry",
    "Folders",
    "ci_files",
    "ci_setting",
    "compare",
    "contents",
    "examine",
    "folders_of",
    "is_documentation",
    "remarks",
    "size_of",
]
