//! The function `sku`.

use plumb_provider_sdk::{Arguments, Function, FunctionError, async_trait};

/// The number by which an item is ordered: its category, and a number of five digits.
#[derive(Arguments)]
pub struct Sku {
    /// The category of the item.
    category: String,
    /// A number of at most five digits.
    number: u32,
    /// What distinguishes variants.
    #[argument(variadic)]
    variants: Vec<String>,
}

/// The function.
pub struct MakeSku;

#[async_trait]
impl Function for MakeSku {
    type Arguments = Sku;
    type Result = String;

    async fn call(&self, sku: Sku) -> Result<String, FunctionError> {
        if sku.category.is_empty() {
            return Err(FunctionError::about(0, "Found empty text, wanted a category."));
        }
        if sku.number > 99_999 {
            return Err(FunctionError::about(1, format!("Found {}, wanted at most 99999.", sku.number)));
        }
        let variants: String = sku.variants.iter().map(|variant| format!("-{variant}")).collect();
        Ok(format!("{}-{:05}{variants}", sku.category.to_uppercase(), sku.number))
    }
}
