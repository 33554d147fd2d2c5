"""How protoc 3.17, of grpcio-tools 1.41, describes a field; the rest of such a file is left out."""

from google.protobuf import descriptor

TEXT = descriptor.FieldDescriptor(
    name="text",
    full_name="old.Old.text",
    index=0,
    number=1,
    type=9,
    cpp_type=9,
    label=1,
    has_default_value=False,
    default_value="",
    message_type=None,
    enum_type=None,
    containing_type=None,
    is_extension=False,
    extension_scope=None,
)
