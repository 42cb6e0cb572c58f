using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace Lateral.Tests.Diffusion;

/// <summary>A method as metadata names it: declaring type, name, parameter types (`Tensor`, `Scalar`, `Int64[]`, ...).</summary>
internal sealed record Call(string Type, string Name, string Parameters)
{
    public override string ToString() => $"{Type}.{Name}({Parameters})";
}

/// <summary>Reads from a compiled assembly which methods it references and which methods each of its own methods calls.</summary>
internal sealed class CallScan : IDisposable
{
    private static readonly Dictionary<int, OpCode> OpCodesByValue = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(field => (OpCode)field.GetValue(null)!).ToDictionary(code => (int)(ushort)code.Value);

    private readonly PEReader file;
    private readonly MetadataReader metadata;
    private readonly TypeNames names = new();

    public CallScan(string assembly)
    {
        file = new PEReader(File.OpenRead(assembly));
        metadata = file.GetMetadataReader();
    }

    /// <summary>Every method of another assembly that this one references.</summary>
    public IEnumerable<Call> References() =>
        metadata.MemberReferences
            .Where(handle => metadata.GetMemberReference(handle).GetKind() == MemberReferenceKind.Method)
            .Select(handle => Describe(handle));

    /// <summary>Own methods with the methods, own or foreign, that their bodies call or take the address of.</summary>
    public IEnumerable<(Call Caller, IReadOnlyList<Call> Callees)> Bodies()
    {
        foreach (var handle in metadata.MethodDefinitions)
        {
            var definition = metadata.GetMethodDefinition(handle);
            if (definition.RelativeVirtualAddress == 0) continue;
            var body = file.GetMethodBody(definition.RelativeVirtualAddress);
            yield return (Describe(handle), [.. Tokens(body.GetILReader()).Select(Describe)]);
        }
    }

    public void Dispose() => file.Dispose();

    private static IEnumerable<EntityHandle> Tokens(BlobReader il)
    {
        var found = new List<EntityHandle>();
        while (il.RemainingBytes > 0)
        {
            var value = (int)il.ReadByte();
            if (value == 0xFE) value = 0xFE00 | il.ReadByte();
            switch (OpCodesByValue[value].OperandType)
            {
                case OperandType.InlineNone: break;
                case OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar: il.Offset += 1; break;
                case OperandType.InlineVar: il.Offset += 2; break;
                case OperandType.InlineI8 or OperandType.InlineR: il.Offset += 8; break;
                case OperandType.InlineSwitch:
                    var targets = il.ReadInt32();
                    il.Offset += 4 * targets;
                    break;
                case OperandType.InlineMethod: found.Add(MetadataTokens.EntityHandle(il.ReadInt32())); break;
                default: il.Offset += 4; break;
            }
        }

        return found;
    }

    private Call Describe(EntityHandle handle)
    {
        switch (handle.Kind)
        {
            case HandleKind.MethodSpecification:
                return Describe(metadata.GetMethodSpecification((MethodSpecificationHandle)handle).Method);
            case HandleKind.MethodDefinition:
                var definition = metadata.GetMethodDefinition((MethodDefinitionHandle)handle);
                return new(names.GetTypeFromDefinition(metadata, definition.GetDeclaringType(), 0), metadata.GetString(definition.Name),
                    string.Join(", ", definition.DecodeSignature(names, null).ParameterTypes));
            default:
                var reference = metadata.GetMemberReference((MemberReferenceHandle)handle);
                var parent = reference.Parent.Kind switch
                {
                    HandleKind.TypeReference => names.GetTypeFromReference(metadata, (TypeReferenceHandle)reference.Parent, 0),
                    HandleKind.TypeDefinition => names.GetTypeFromDefinition(metadata, (TypeDefinitionHandle)reference.Parent, 0),
                    HandleKind.TypeSpecification => metadata.GetTypeSpecification((TypeSpecificationHandle)reference.Parent).DecodeSignature(names, null),
                    var other => other.ToString(),
                };
                return new(parent, metadata.GetString(reference.Name), string.Join(", ", reference.DecodeMethodSignature(names, null).ParameterTypes));
        }
    }

    /// <summary>Types as short names; nested ones as `torch.Tensor`.</summary>
    private sealed class TypeNames : ISignatureTypeProvider<string, object?>
    {
        public string GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind)
        {
            var definition = reader.GetTypeDefinition(handle);
            var outer = definition.GetDeclaringType();
            return (outer.IsNil ? "" : GetTypeFromDefinition(reader, outer, 0) + ".") + reader.GetString(definition.Name);
        }

        public string GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind)
        {
            var reference = reader.GetTypeReference(handle);
            var outer = reference.ResolutionScope;
            return (outer.Kind == HandleKind.TypeReference ? GetTypeFromReference(reader, (TypeReferenceHandle)outer, 0) + "." : "") + reader.GetString(reference.Name);
        }

        public string GetArrayType(string elementType, ArrayShape shape) => elementType + "[,]";
        public string GetByReferenceType(string elementType) => elementType + "&";
        public string GetFunctionPointerType(MethodSignature<string> signature) => "function";
        public string GetGenericInstantiation(string genericType, System.Collections.Immutable.ImmutableArray<string> typeArguments) => $"{genericType}<{string.Join(",", typeArguments)}>";
        public string GetGenericMethodParameter(object? genericContext, int index) => "!!" + index;
        public string GetGenericTypeParameter(object? genericContext, int index) => "!" + index;
        public string GetModifiedType(string modifier, string unmodifiedType, bool isRequired) => unmodifiedType;
        public string GetPinnedType(string elementType) => elementType;
        public string GetPointerType(string elementType) => elementType + "*";
        public string GetPrimitiveType(PrimitiveTypeCode typeCode) => typeCode.ToString();
        public string GetSZArrayType(string elementType) => elementType + "[]";
        public string GetTypeFromSpecification(MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind) =>
            reader.GetTypeSpecification(handle).DecodeSignature(this, genericContext);
    }
}
